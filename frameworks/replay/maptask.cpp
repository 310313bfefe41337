// fairlead-maptask BYTES: one map task's worth of real work. Makes BYTES of a stream that is the
// same each time, hashes it, and says what it did in one line: digest, bytes, CPU seconds of this
// process. Memory use does not depend on BYTES.

#include "common/base/prng.hpp"

#include <openssl/evp.h>

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>

namespace {

constexpr std::size_t block_words = 8192;

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
    std::uint64_t bytes = 0;
    const char* text = argc == 2 ? argv[1] : "";
    const auto [end, error] = std::from_chars(text, text + std::strlen(text), bytes);
    if (argc != 2 || error != std::errc() || *end != '\0') {
        std::fputs("usage: fairlead-maptask BYTES\n", stderr);
        return 2;
    }
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> hash(EVP_MD_CTX_new(),
                                                                  EVP_MD_CTX_free);
    if (!hash || EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr) != 1) {
        std::fputs("fairlead-maptask: no SHA-256 in libcrypto\n", stderr);
        return 1;
    }
    fairlead::base::Prng prng(bytes);
    std::array<std::uint64_t, block_words> block;
    for (std::uint64_t left = bytes; left > 0;) {
        for (auto& word : block) word = prng();
        const auto part = std::min<std::uint64_t>(left, sizeof block);
        EVP_DigestUpdate(hash.get(), block.data(), part);
        left -= part;
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_DigestFinal_ex(hash.get(), digest.data(), &size);
    std::fputs("sha256 ", stdout);
    for (unsigned i = 0; i < size; ++i) std::printf("%02x", digest[i]);
    std::printf(" bytes %llu cpu_seconds %.6f\n", static_cast<unsigned long long>(bytes),
                cpu_seconds());
    return 0;
}
