// Configuration files of any bytes: read or refused with file and line, and every value that was
// read can be asked for as each type.

#include "common/config/config.hpp"
#include "tests/fuzz/target.hpp"

#include <unistd.h>

#include <fstream>

namespace {

namespace config = fairlead::config;
using fairlead::fuzz::expect;

// One file for all inputs of this process; it is gone with the process.
struct InputFile {
    InputFile() {
        char name[] = "/tmp/fairlead-fuzz-XXXXXX";
        ::close(::mkstemp(name));
        path = name;
    }
    ~InputFile() { std::filesystem::remove(path); }
    std::filesystem::path path;
};

}  // namespace

std::vector<std::string> fairlead::fuzz::seeds() {
    return {"[Master]\nListen=0.0.0.0:5050\n",
            "# comment\n; another\n[Master]\nThreads = 4\nPause=2min 30s\n",
            "[Master]\nListen=a\\\nb\\\n\nOn=yes",
            "Listen=before a section",
            "[Mastr]\nListen=x",
            "[Master]\nListen",
            "[Master\n"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const InputFile file;
    std::ofstream(file.path, std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
    const auto read = config::Config::load_file(
        file.path,
        {{"Master", "Listen"}, {"Master", "Threads"}, {"Master", "Pause"}, {"Master", "On"}});
    if (!read) {
        expect(read.error().message().find(file.path.string() + ":") != std::string::npos,
               "an error names the file and the line");
        return 0;
    }
    for (const char* name : {"Listen", "Threads", "Pause", "On"}) {
        (void)read->text("Master", name);
        (void)read->boolean("Master", name);
        (void)read->number("Master", name, 1, 64);
        const auto pause = read->duration("Master", name);
        if (pause && *pause)
            expect(**pause >= fairlead::base::Duration::zero(), "a time is not negative");
    }
    return 0;
}
