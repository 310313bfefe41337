#include "masterd/core/packed.hpp"

#include <new>

namespace fairlead::masterd::core {

PackedBytes::PackedBytes(const google::protobuf::MessageLite& message) {
    const std::size_t size = message.ByteSizeLong();
    auto* block = new (::operator new(sizeof(Block) + size)) Block;
    block_ = block;
    block->size = static_cast<std::uint32_t>(size);
    message.SerializeWithCachedSizesToArray(block->bytes());
}

void PackedBytes::unpack(google::protobuf::MessageLite& message) const {
    if (block_) message.ParsePartialFromArray(block_->bytes(), static_cast<int>(block_->size));
}

void intrusive_ptr_add_ref(PackedBytes::Block* block) { block->holders.fetch_add(1, std::memory_order_relaxed); }

void intrusive_ptr_release(PackedBytes::Block* block) {
    if (block->holders.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
    block->~Block();
    ::operator delete(block);
}

}  // namespace fairlead::masterd::core
