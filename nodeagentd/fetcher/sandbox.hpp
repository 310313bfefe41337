#pragma once
// The directory of one task, opened once; names are resolved below it by the kernel, so that neither ".." nor a link
// that a task or an archive has put there leads out of it.

#include "common/base/error.hpp"

#include <string>

namespace fairlead::nodeagentd::fetcher {

// A file descriptor that closes itself.
class Descriptor {
  public:
    explicit Descriptor(int number = -1) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
    Descriptor& operator=(Descriptor&& other) noexcept;
    ~Descriptor();

    int number() const { return number_; }
    bool open() const { return number_ >= 0; }

  private:
    int number_;
};

class Sandbox {
  public:
    // Makes the directory and what is missing above it; the directory itself gets mode 0750 and this owner.
    static base::Result<Sandbox> make(const std::string& path, unsigned uid, unsigned gid);

    // A new, empty file for writing; the directories in `name` are made, a file that has the name is replaced.
    base::Result<Descriptor> create(const std::string& name) const;
    // The directory that `name` lies in; makes it when it is missing.
    base::Result<Descriptor> directory_of(const std::string& name) const;
    base::Result<Descriptor> open_for_reading(const std::string& name) const;

  private:
    explicit Sandbox(Descriptor directory) : directory_(std::move(directory)) {}

    Descriptor directory_;
};

// The last component of a path.
std::string file_name(const std::string& path);

}  // namespace fairlead::nodeagentd::fetcher
