#pragma once
// A real ZooKeeper, Debian's own jar, on a free port of 127.0.0.1 with a folder of its own: started when a test
// program first asks for it, ended by its process id with the program. Ticks are short where nothing else is wanted,
// so that sessions of half a second are granted; the longest session has twenty ticks.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

namespace fairlead::tests {

class ZookeeperServer {
  public:
    explicit ZookeeperServer(std::chrono::milliseconds tick = std::chrono::milliseconds(100));
    ~ZookeeperServer();
    ZookeeperServer(const ZookeeperServer&) = delete;
    ZookeeperServer& operator=(const ZookeeperServer&) = delete;

    // The one that all tests of a program share.
    static ZookeeperServer& shared();

    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

    // Ends the process; start() brings it back with its data, on the same port.
    void kill();
    void start();
    // Nobody is answered between the two, and no connection breaks.
    void freeze();
    void thaw();

    // Requests since its start, of everybody: signs of life count.
    std::uint64_t requests() const;

  private:
    std::string ask(const std::string& word) const;
    bool serves() const;

    std::filesystem::path folder_;
    std::uint16_t port_ = 0;
    ::pid_t process_ = -1;
};

}  // namespace fairlead::tests
