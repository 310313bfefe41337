#include "tests/support/zookeeper_server.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace fairlead::tests {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::chrono::seconds start_deadline{60}, answer_deadline{2};

std::uint16_t free_port() {
    asio::io_context context;
    return tcp::acceptor(context, {asio::ip::address_v4::loopback(), 0}).local_endpoint().port();
}

}  // namespace

ZookeeperServer::ZookeeperServer(std::chrono::milliseconds tick) {
    std::string name = (std::filesystem::temp_directory_path() / "fairlead-zookeeper-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a folder for ZooKeeper");
    folder_ = name;
    port_ = free_port();
    std::ofstream(folder_ / "zoo.cfg")
        << "tickTime=" << tick.count() << "\ninitLimit=20\nsyncLimit=20\ndataDir=" << (folder_ / "data").string()
        << "\nclientPortAddress=127.0.0.1\nclientPort=" << port_
        << "\nadmin.enableServer=false\n4lw.commands.whitelist=srvr,ruok\nmaxClientCnxns=0\n";
    start();
}

ZookeeperServer::~ZookeeperServer() {
    kill();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

ZookeeperServer& ZookeeperServer::shared() {
    static ZookeeperServer server;
    return server;
}

void ZookeeperServer::start() {
    const std::string configuration = (folder_ / "zoo.cfg").string();
    const std::string log = (folder_ / "log").string();
    const ::pid_t parent = ::getpid();
    process_ = ::fork();
    if (process_ < 0) throw std::runtime_error("cannot start ZooKeeper");
    if (process_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1);
        const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        ::dup2(out, STDOUT_FILENO);
        ::dup2(out, STDERR_FILENO);
        ::execlp("java", "java", "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                 "-Dzookeeper.jmx.log4j.disable=true", "-cp", "/usr/share/java/zookeeper.jar", "org.apache.zookeeper.server.ZooKeeperServerMain",
                 configuration.c_str(), nullptr);
        ::_exit(127);
    }
    const auto deadline = std::chrono::steady_clock::now() + start_deadline;
    while (!serves()) {
        if (::waitpid(process_, nullptr, WNOHANG) == process_) {
            process_ = -1;
            std::string text{std::istreambuf_iterator<char>(std::ifstream(log).rdbuf()), {}};
            throw std::runtime_error("ZooKeeper ended at its start (are the packages zookeeper and default-jre-headless"
                                     " installed?): " + text);
        }
        if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("ZooKeeper does not answer");
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

void ZookeeperServer::kill() {
    if (process_ < 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
}

void ZookeeperServer::freeze() { ::kill(process_, SIGSTOP); }
void ZookeeperServer::thaw() { ::kill(process_, SIGCONT); }

bool ZookeeperServer::serves() const { return ask("ruok") == "imok"; }

std::uint64_t ZookeeperServer::requests() const {
    const std::string answer = ask("srvr");
    const std::string_view key = "Received: ";
    const auto at = answer.find(key);
    if (at == std::string::npos) throw std::runtime_error("ZooKeeper does not tell what it has received: " + answer);
    return std::stoull(answer.substr(at + key.size()));
}

// One of its four-letter words; empty: no answer. A server that is only starting may take a connection and forget it.
std::string ZookeeperServer::ask(const std::string& word) const {
    std::string answer;
    asio::io_context context;
    tcp::socket socket(context);
    boost::system::error_code error;
    socket.connect({asio::ip::address_v4::loopback(), port_}, error);
    if (!error) asio::write(socket, asio::buffer(word), error);
    if (error) return "";
    asio::async_read(socket, asio::dynamic_buffer(answer), [](boost::system::error_code, std::size_t) {});  // to the end
    context.run_for(answer_deadline);
    return answer;
}

}  // namespace fairlead::tests
