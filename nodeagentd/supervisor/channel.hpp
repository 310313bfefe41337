#pragma once
// The supervisor's side of the conversation with the agent: sends messages, receives with
// descriptors, and connects again when the agent is gone, for ever: every quarter of a second at
// first, every second later. It trusts whoever listens at the path it was given; that directory
// belongs to the agent alone.

#include "nodeagentd/supervisor/protocol.hpp"

#include <sys/types.h>

namespace fairlead::nodeagentd::supervisor {

class Channel {
  public:
    explicit Channel(int fd) : fd_(fd) {}

    int fd() const { return fd_; }
    bool is_connected() const { return fd_ >= 0; }

    // False: the connection is lost and closed.
    bool send(const Message& message);

    enum class Received { message, nothing, closed };
    // `attached` is a descriptor that came along, or -1.
    Received receive(Message& message, int& attached);

    // One attempt, without blocking.
    bool connect(const char* path);
    void close();

    // How long to wait before the next attempt; grows with each call, until a connection stands.
    int next_pause_ms();

  private:
    int fd_;
    int pause_ms_ = 0;
};

// Writes the message into `path`, whole or not at all: what an agent finds that comes later.
bool write_report(const char* path, const Message& message);

}  // namespace fairlead::nodeagentd::supervisor
