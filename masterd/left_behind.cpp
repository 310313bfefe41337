#include "masterd/left_behind.hpp"

#include <pthread.h>
#include <signal.h>

#include <atomic>

namespace fairlead::masterd {
namespace {

std::atomic<bool> left_behind{false};

}  // namespace

std::thread quiet_thread(const char* name, std::function<void()> work) {
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);  // inherited by the thread
    std::thread thread(std::move(work));
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::pthread_setname_np(thread.native_handle(), name);
    return thread;
}

void note_thread_left_behind() { left_behind = true; }
bool any_thread_left_behind() { return left_behind; }

}  // namespace fairlead::masterd
