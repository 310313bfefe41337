#pragma once
// Room for one pending operation inside the object that starts it. Left alone, Asio keeps blocks that earlier
// operations have freed and gives them to later ones as they come; fifty thousand idle waits then sit in blocks of
// whatever size. The object must outlive the operation: its handler should hold it. Where two overlap, or one is
// larger, it lies on the heap.

#include <cstddef>
#include <new>

namespace fairlead::async {

template <std::size_t bytes>
class HandlerRoom {
  public:
    HandlerRoom() = default;
    HandlerRoom(const HandlerRoom&) = delete;
    HandlerRoom& operator=(const HandlerRoom&) = delete;

    // For asio::bind_allocator().
    template <typename T>
    class Allocator {
      public:
        using value_type = T;
        explicit Allocator(HandlerRoom& room) : room_(&room) {}
        template <typename U>
        Allocator(const Allocator<U>& other) : room_(other.room_) {}  // NOLINT: allocators convert

        T* allocate(std::size_t count) { return static_cast<T*>(room_->take(count * sizeof(T))); }
        void deallocate(T* place, std::size_t) { room_->give_back(place); }
        template <typename U>
        friend bool operator==(const Allocator& a, const Allocator<U>& b) { return a.room_ == b.room_; }

      private:
        template <typename U>
        friend class Allocator;
        HandlerRoom* room_;
    };
    Allocator<std::byte> allocator() { return Allocator<std::byte>(*this); }
    bool is_taken() const { return taken_; }

  private:
    void* take(std::size_t size) {
        if (taken_ || size > bytes) return ::operator new(size);
        taken_ = true;
        return storage_;
    }
    void give_back(void* place) {
        if (place == storage_)
            taken_ = false;
        else
            ::operator delete(place);
    }

    alignas(std::max_align_t) std::byte storage_[bytes];
    bool taken_ = false;
};

}  // namespace fairlead::async
