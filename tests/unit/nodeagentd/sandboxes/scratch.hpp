#pragma once
// A folder of a test's own, gone with the test.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace fairlead::nodeagentd::sandboxes {

class Scratch : public testing::Test {
  protected:
    Scratch() {
        std::string pattern = testing::TempDir() + "fairlead-sandboxes-XXXXXX";
        folder_ = ::mkdtemp(pattern.data());
    }
    ~Scratch() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    void write(const std::string& file) {
        std::filesystem::create_directories((folder_ / file).parent_path());
        std::ofstream(folder_ / file) << "text";
    }

    std::filesystem::path folder_;
};

}  // namespace fairlead::nodeagentd::sandboxes
