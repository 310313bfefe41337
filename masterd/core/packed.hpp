#pragma once
// A message that is kept for whoever may ask for it, as its bytes in one block: a message in memory takes many times as
// much. A copy costs a pointer; each look at it parses it anew. Required fields may be missing.

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <google/protobuf/message_lite.h>

#include <atomic>
#include <cstdint>
#include <utility>

namespace fairlead::masterd::core {

class PackedBytes {
  public:
    PackedBytes() = default;  // none
    explicit PackedBytes(const google::protobuf::MessageLite& message);
    explicit operator bool() const { return block_ != nullptr; }
    std::size_t size() const { return block_ ? block_->size : 0; }
    void unpack(google::protobuf::MessageLite& message) const;

  private:
    struct Block {  // its bytes follow it
        std::atomic<std::uint32_t> holders = 0;
        std::uint32_t size = 0;
        std::uint8_t* bytes() { return reinterpret_cast<std::uint8_t*>(this + 1); }
    };
    friend void intrusive_ptr_add_ref(Block* block);
    friend void intrusive_ptr_release(Block* block);

    boost::intrusive_ptr<Block> block_;
};

template <typename Message>
class Packed {
  public:
    Packed() = default;
    explicit Packed(const Message& message) : bytes_(message) {}
    explicit operator bool() const { return static_cast<bool>(bytes_); }
    std::size_t size() const { return bytes_.size(); }
    Message message() const {  // empty where there is none
        Message message;
        bytes_.unpack(message);
        return message;
    }

  private:
    PackedBytes bytes_;
};

}  // namespace fairlead::masterd::core
