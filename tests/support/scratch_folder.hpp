#pragma once
// A folder of a test's own, gone with it.

#include <cstdlib>
#include <filesystem>

namespace fairlead::tests {

class ScratchFolder {
  public:
    ScratchFolder() {
        char name[] = "/tmp/fairlead-test-XXXXXX";
        path_ = mkdtemp(name);
    }
    ~ScratchFolder() { std::filesystem::remove_all(path_); }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path file(const char* name = "registry.sqlite") const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

}  // namespace fairlead::tests
