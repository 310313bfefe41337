#pragma once
// A folder for files of the host and one for the sandbox, gone with the test.

#include "nodeagentd/fetcher/sandbox.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace fairlead::nodeagentd::fetcher {

class Folders : public testing::Test {
  protected:
    Folders() {
        char name[] = "/tmp/fetcher-test-XXXXXX";
        root_ = ::mkdtemp(name);
        std::filesystem::create_directory(root_ / "host");
    }
    ~Folders() override { std::filesystem::remove_all(root_); }

    std::filesystem::path host(const std::string& name) const { return root_ / "host" / name; }
    std::filesystem::path in_sandbox(const std::string& name) const { return root_ / "sandbox" / name; }
    std::string write(const std::filesystem::path& file, const std::string& text) const {
        std::ofstream(file, std::ios::binary) << text;
        return file.string();
    }
    static std::string text_of(const std::filesystem::path& file) {
        std::ifstream in(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    Sandbox sandbox() const {
        return std::move(Sandbox::make((root_ / "sandbox").string(), ::geteuid(), ::getegid()).value());
    }

    std::filesystem::path root_;
};

}  // namespace fairlead::nodeagentd::fetcher
