#pragma once
// A real server on a free port of 127.0.0.1, served by two threads, and a raw blocking client that
// sends exactly the bytes of a test and sees exactly the bytes of the answer. Everything ends with
// the Loopback.

#include "common/http/client.hpp"
#include "common/http/server.hpp"

#include <gtest/gtest.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>

#include <future>
#include <string>
#include <thread>
#include <vector>

namespace fairlead::http {

class Loopback {
  public:
    explicit Loopback(Handler handler, ServerOptions options = {})
        : work_(context_.get_executor()),
          server_(context_.get_executor(), std::move(handler), std::move(options)) {
        const auto status = server_.listen({boost::asio::ip::address_v4::loopback(), 0});
        EXPECT_TRUE(status.has_value());
        endpoint_ = server_.endpoints().front();
        server_.start();
        for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { context_.run(); });
    }
    ~Loopback() {
        stop_and_join();
        work_.reset();
        context_.stop();
        for (auto& thread : threads_) thread.join();
    }

    void stop_and_join() {
        server_.stop();
        run([this] { return server_.join(); });
    }

    // Runs a coroutine on a strand of its own and waits for it.
    template <typename Body>
    void run(Body body) {
        boost::asio::co_spawn(boost::asio::make_strand(context_), body(), boost::asio::use_future)
            .get();
    }

    boost::asio::io_context& context() { return context_; }
    Server& server() { return server_; }
    tcp::endpoint endpoint() const { return endpoint_; }
    Url url() const { return {"127.0.0.1", endpoint_.port(), "/"}; }

  private:
    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    Server server_;
    tcp::endpoint endpoint_;
    std::vector<std::thread> threads_;
};

class RawClient {
  public:
    // `from` is an address of this machine's loopback network.
    explicit RawClient(const Loopback& loopback, int receive_buffer_bytes = 0, const char* from = "127.0.0.1")
        : socket_(context_) {
        socket_.open(tcp::v4());
        socket_.bind({boost::asio::ip::make_address_v4(from), 0});
        if (receive_buffer_bytes > 0) {
            socket_.set_option(boost::asio::socket_base::receive_buffer_size(receive_buffer_bytes));
        }
        socket_.connect(loopback.endpoint());
        timeval limit{20, 0};
        ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    }

    void send(std::string_view bytes) {
        boost::system::error_code ignored;
        boost::asio::write(socket_, boost::asio::buffer(bytes.data(), bytes.size()), ignored);
    }
    void half_close() { socket_.shutdown(tcp::socket::shutdown_send); }
    void close() { socket_.close(); }

    // Until everything received ends with or holds `mark`; what was received is kept for the next
    // call behind it.
    std::string read_until(std::string_view mark) {
        for (;;) {
            if (const auto at = received_.find(mark); at != std::string::npos) {
                auto head = received_.substr(0, at + mark.size());
                received_.erase(0, at + mark.size());
                return head;
            }
            if (!read_more()) return std::exchange(received_, {}) + "<end>";
        }
    }
    // What came, where it ends before.
    std::string read_exactly(std::size_t bytes) {
        while (received_.size() < bytes && read_more()) {
        }
        auto read = received_.substr(0, bytes);
        received_.erase(0, bytes);
        return read;
    }
    std::string read_to_end() {
        while (read_more()) {
        }
        return std::exchange(received_, {});
    }

  private:
    bool read_more() {
        char bytes[4096];
        boost::system::error_code error;
        const auto size = socket_.read_some(boost::asio::buffer(bytes), error);
        received_.append(bytes, size);
        return !error;
    }

    boost::asio::io_context context_;
    tcp::socket socket_;
    std::string received_;
};

// Answers "<method> <path> <body>".
inline Handler echo() {
    return [](Request request, Responder responder) -> async::awaitable<void> {
        responder.respond(
            text_response(200, request.method + " " + request.path + " " + request.body));
        co_return;
    };
}

}  // namespace fairlead::http
