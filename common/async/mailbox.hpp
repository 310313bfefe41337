#pragma once
// The input queue of a single owner: any thread pushes, one coroutine on the owner's strand pops in
// batches. Bounded: try_push says no when it is full, and the pusher decides what that means (503,
// drop the link). Values come out in the order in which they went in. Popping many at once is what
// lets an owner pay its costs per batch instead of per event.

#include "common/async/wake.hpp"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace fairlead::async {

template <typename T>
class Mailbox {
  public:
    // `owner` is the strand on which pop_batch runs.
    Mailbox(Executor owner, std::size_t capacity) : wake_(std::move(owner)), capacity_(capacity) {}

    // Any thread. false: full or closed, and the value is gone.
    bool try_push(T value) { return push_within(std::move(value), capacity_); }

    // Any thread. Goes in also when the mailbox is full: for what nobody would repeat, and whose
    // number something else bounds (one end for each stream or link that once went in by
    // try_push). false: closed.
    bool push(T value) { return push_within(std::move(value), values_.max_size()); }

    // Owner's strand. Waits for at least one value and gives at most `max`; empty only when closed
    // and drained.
    awaitable<std::vector<T>> pop_batch(std::size_t max) {
        for (;;) {
            auto batch = take(max);
            if (!batch.empty() || drained()) co_return batch;
            co_await wake_.wait();
        }
    }

    // As above, but also empty when nothing came within `wait_max`: for an owner that has a timer
    // of its own to keep.
    awaitable<std::vector<T>> pop_batch(std::size_t max, base::Duration wait_max) {
        auto batch = take(max);
        if (!batch.empty() || drained() || wait_max <= base::Duration::zero()) co_return batch;
        co_await wake_.wait_for(wait_max);
        co_return take(max);
    }

    // Any thread. What is queued can still be popped; nothing more goes in.
    void close() {
        {
            std::lock_guard lock(mutex_);
            closed_ = true;
            owner_sleeps_ = false;
        }
        wake_.ring();
    }

    bool closed() const {
        std::lock_guard lock(mutex_);
        return closed_;
    }
    std::size_t size() const {
        std::lock_guard lock(mutex_);
        return values_.size();
    }

  private:
    bool push_within(T value, std::size_t values_max) {
        bool ring = false;
        {
            std::lock_guard lock(mutex_);
            if (closed_ || values_.size() >= values_max) return false;
            values_.push_back(std::move(value));
            ring = std::exchange(owner_sleeps_, false);
        }
        if (ring) wake_.ring();
        return true;
    }
    std::vector<T> take(std::size_t max) {
        std::vector<T> batch;
        std::lock_guard lock(mutex_);
        const auto count = std::min(max, values_.size());
        batch.reserve(count);
        for (std::size_t i = 0; i < count; ++i) {
            batch.push_back(std::move(values_.front()));
            values_.pop_front();
        }
        owner_sleeps_ = batch.empty();
        return batch;
    }
    bool drained() const {
        std::lock_guard lock(mutex_);
        return closed_ && values_.empty();
    }

    Wake wake_;
    const std::size_t capacity_;
    mutable std::mutex mutex_;
    std::deque<T> values_;
    bool owner_sleeps_ = false;
    bool closed_ = false;
};

}  // namespace fairlead::async
