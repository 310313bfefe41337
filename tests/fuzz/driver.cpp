// Runs a fuzz program without libFuzzer: takes an input out of the corpus, changes it in a few
// places, tries it. The same --seed gives the same inputs. Files named on the command line are
// tried as they are, which is how a finding is tried again.
//
//     fuzz_json [--iterations N] [--seconds N] [--seed N] [FILE...]

#include "common/base/prng.hpp"
#include "tests/fuzz/target.hpp"

#include <fmt/core.h>
#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <limits>
#include <string_view>

namespace {

using fairlead::base::Prng;

constexpr std::size_t input_bytes_max = 64 * 1024;
const std::string* current_input = nullptr;

// Leaves the input behind before the program dies of it.
void on_abort(int) {
    if (current_input) {
        std::ofstream("fuzz-finding").write(current_input->data(), current_input->size());
        std::fputs("the input is in ./fuzz-finding\n", stderr);
    }
    std::_Exit(1);
}

void try_input(const std::string& input) {
    current_input = &input;
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
    current_input = nullptr;
}

// Pieces that mean something to one of the parsers; blind bytes would rarely form them.
constexpr std::string_view dictionary[] = {"{",
                                           "}",
                                           "[",
                                           "]",
                                           "\"",
                                           ":",
                                           ",",
                                           "null",
                                           "true",
                                           "\"Infinity\"",
                                           "3.6e+06",
                                           "-1",
                                           "1e999",
                                           "18446744073709551616",
                                           "\\ud83d",
                                           "\\u0000",
                                           "\n",
                                           "0\n",
                                           "\xff",
                                           "\xf0\x9f\x98\x80",
                                           "\xed\xa0\x80",
                                           "\"type\":",
                                           "\"value\":",
                                           "[[[[[[[[",
                                           "{\"a\":{\"a\":{\"a\":"};

void mutate(std::string& input, const std::vector<std::string>& corpus, Prng& prng) {
    const std::size_t at = prng.below(input.size() + 1);
    const std::size_t length = prng.below(std::min<std::size_t>(input.size() - at, 32) + 1);
    switch (prng.below(7)) {
        case 0:
            if (at < input.size()) input[at] ^= static_cast<char>(1 << prng.below(8));
            break;
        case 1:
            if (at < input.size()) input[at] = static_cast<char>(prng());
            break;
        case 2:
            input.erase(at, length);
            break;
        case 3:
            input.insert(at, input.substr(at, length));
            break;
        case 4:
            input.insert(at, dictionary[prng.below(std::size(dictionary))]);
            break;
        case 5:
            input.resize(at);
            break;
        default: {
            const std::string& other = corpus[prng.below(corpus.size())];
            input.insert(at, other.substr(prng.below(other.size() + 1)));
            break;
        }
    }
    if (input.size() > input_bytes_max) input.resize(input_bytes_max);
}

struct Options {
    std::uint64_t iterations = 10'000;
    std::uint64_t seconds = std::numeric_limits<std::uint32_t>::max();
    std::uint64_t seed = 1;
    std::vector<std::string> files;
};

Options read_options(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        const bool has_value = i + 1 < argc;
        if (word == "--iterations" && has_value) {
            options.iterations = std::stoull(argv[++i]);
        } else if (word == "--seconds" && has_value) {
            options.seconds = std::stoull(argv[++i]);
            options.iterations = std::numeric_limits<std::uint64_t>::max();
        } else if (word == "--seed" && has_value) {
            options.seed = std::stoull(argv[++i]);
        } else {
            options.files.emplace_back(word);
        }
    }
    return options;
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGABRT, on_abort);
    std::signal(SIGSEGV, on_abort);
    google::protobuf::SetLogHandler(nullptr);
    const Options options = read_options(argc, argv);
    for (const std::string& file : options.files) {
        std::ifstream in(file, std::ios::binary);
        if (!in) {
            fmt::print(stderr, "cannot read {}\n", file);
            return 1;
        }
        try_input(std::string(std::istreambuf_iterator<char>(in), {}));
    }
    if (!options.files.empty()) return 0;

    Prng prng(options.seed);
    const std::vector<std::string> seeds = fairlead::fuzz::seeds();
    for (const std::string& seed : seeds) try_input(seed);
    std::vector<std::string> corpus = seeds;
    constexpr std::size_t corpus_size_max = 1000;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options.seconds);
    std::uint64_t tried = 0;
    for (; tried < options.iterations && std::chrono::steady_clock::now() < end; ++tried) {
        std::string input = corpus[prng.below(corpus.size())];
        for (std::uint64_t changes = 1 + prng.below(4); changes > 0; --changes)
            mutate(input, corpus, prng);
        try_input(input);
        // Some mutants stay as starting points, so that changes add up; the seeds are never
        // displaced.
        if (!prng.chance(0.05)) continue;
        if (corpus.size() < corpus_size_max) {
            corpus.push_back(std::move(input));
        } else {
            corpus[seeds.size() + prng.below(corpus.size() - seeds.size())] = std::move(input);
        }
    }
    fmt::print("{} inputs tried, seed {}, nothing found\n", tried, options.seed);
    return 0;
}
