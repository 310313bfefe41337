#include "nodeagentd/fetcher/archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string_view>

namespace fairlead::nodeagentd::fetcher {
namespace {

constexpr std::array<std::string_view, 10> trees = {".tar",     ".tar.gz", ".tgz",     ".tar.bz2", ".tbz2",
                                                    ".tar.xz", ".txz",    ".tar.zst", ".tbz",     ".zip"};
constexpr std::array<std::string_view, 3> single_files = {".gz", ".bz2", ".xz"};
constexpr std::size_t read_bytes = 64 * 1024;

template <std::size_t count>
std::string_view ending(const std::string& name, const std::array<std::string_view, count>& endings) {
    for (const auto one : endings)
        if (name.size() > one.size() && name.ends_with(one)) return one;
    return {};
}

using Reader = std::unique_ptr<archive, decltype(&archive_read_free)>;
using Writer = std::unique_ptr<archive, decltype(&archive_write_free)>;

base::Error failure(const std::string& name, archive* which) {
    const char* why = archive_error_string(which);
    return base::Error(base::ErrorCode::malformed,
                       "cannot unpack " + name + ": " + (why != nullptr ? why : "it is damaged"));
}

base::Status copy_data(archive* from, archive* to, const std::string& name) {
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    for (;;) {
        const int got = archive_read_data_block(from, &data, &size, &offset);
        if (got == ARCHIVE_EOF) return {};
        if (got < ARCHIVE_WARN) return failure(name, from);
        if (archive_write_data_block(to, data, size, offset) < ARCHIVE_WARN) return failure(name, to);
    }
}

// Names are resolved in the working directory, which is where the archive lies.
base::Status extract_tree(archive* from, const std::string& name) {
    const Writer to(archive_write_disk_new(), archive_write_free);
    archive_write_disk_set_options(to.get(), ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME |
                                                 ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT |
                                                 ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS | ARCHIVE_EXTRACT_UNLINK);
    archive_entry* entry = nullptr;
    for (;;) {
        const int got = archive_read_next_header(from, &entry);
        if (got == ARCHIVE_EOF) return {};
        if (got < ARCHIVE_WARN) return failure(name, from);
        if (archive_write_header(to.get(), entry) < ARCHIVE_WARN) return failure(name, to.get());
        if (auto copied = copy_data(from, to.get(), name); !copied) return copied;
        if (archive_write_finish_entry(to.get()) < ARCHIVE_WARN) return failure(name, to.get());
    }
}

base::Status extract_single(archive* from, const Sandbox& sandbox, const std::string& name,
                            const std::string& into) {
    archive_entry* entry = nullptr;
    if (archive_read_next_header(from, &entry) < ARCHIVE_WARN) return failure(name, from);
    auto file = sandbox.create(into);
    if (!file) return file.error().in("cannot unpack " + name);
    if (archive_read_data_into_fd(from, file->number()) < ARCHIVE_WARN) return failure(name, from);
    if (::fchmod(file->number(), 0644) != 0) return base::errno_error("cannot set the mode of " + into, errno);
    return {};
}

}  // namespace

bool is_archive(const std::string& name) {
    return !ending(name, trees).empty() || !ending(name, single_files).empty();
}

base::Status extract(const Sandbox& sandbox, const std::string& name) {
    const auto packed = sandbox.open_for_reading(name);
    if (!packed) return packed.error();
    const Reader from(archive_read_new(), archive_read_free);
    archive_read_support_filter_all(from.get());
    const bool tree = !ending(name, trees).empty();
    if (tree) {
        archive_read_support_format_tar(from.get());
        archive_read_support_format_zip(from.get());
        archive_read_support_format_empty(from.get());
    } else {
        archive_read_support_format_raw(from.get());
    }
    if (archive_read_open_fd(from.get(), packed->number(), read_bytes) != ARCHIVE_OK) return failure(name, from.get());
    if (!tree) {
        const auto end = ending(name, single_files).size();
        return extract_single(from.get(), sandbox, name, name.substr(0, name.size() - end));
    }
    const auto directory = sandbox.directory_of(name);
    if (!directory) return directory.error();
    if (::fchdir(directory->number()) != 0) return base::errno_error("cannot enter the sandbox", errno);
    return extract_tree(from.get(), name);
}

}  // namespace fairlead::nodeagentd::fetcher
