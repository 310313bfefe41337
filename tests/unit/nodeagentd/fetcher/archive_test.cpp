#include "nodeagentd/fetcher/archive.hpp"

#include "tests/unit/nodeagentd/fetcher/folders.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <functional>

namespace fairlead::nodeagentd::fetcher {
namespace {

namespace fs = std::filesystem;

struct Packed {
    std::string name;
    std::string text;
    unsigned mode = 0644;
    std::string link_to = "";
};

class Archive : public Folders {
  protected:
    using Format = std::function<void(archive*)>;

    static void tar_gz(archive* a) {
        archive_write_add_filter_gzip(a);
        archive_write_set_format_ustar(a);
    }
    static void zip(archive* a) { archive_write_set_format_zip(a); }
    static void gz(archive* a) {
        archive_write_add_filter_gzip(a);
        archive_write_set_format_raw(a);
    }

    void pack(const fs::path& file, const Format& format, const std::vector<Packed>& contents) {
        archive* a = archive_write_new();
        format(a);
        ASSERT_EQ(archive_write_open_filename(a, file.c_str()), ARCHIVE_OK);
        for (const auto& one : contents) {
            archive_entry* entry = archive_entry_new();
            archive_entry_set_pathname(entry, one.name.c_str());
            archive_entry_set_perm(entry, one.mode);
            archive_entry_set_filetype(entry, one.link_to.empty() ? AE_IFREG : AE_IFLNK);
            if (!one.link_to.empty()) archive_entry_set_symlink(entry, one.link_to.c_str());
            archive_entry_set_size(entry, static_cast<la_int64_t>(one.text.size()));
            ASSERT_EQ(archive_write_header(a, entry), ARCHIVE_OK) << archive_error_string(a);
            archive_write_data(a, one.text.data(), one.text.size());
            archive_entry_free(entry);
        }
        archive_write_close(a);
        archive_write_free(a);
    }
};

TEST_F(Archive, ATarIsUnpackedBesideItself) {
    const auto box = sandbox();
    ASSERT_TRUE(box.directory_of("sub/tools.tar.gz"));
    pack(in_sandbox("sub/tools.tar.gz"), tar_gz, {{"bin/run", "run me", 0755}, {"readme", "read me"}});
    const auto extracted = extract(box, "sub/tools.tar.gz");
    ASSERT_TRUE(extracted) << extracted.error().message();
    EXPECT_EQ(text_of(in_sandbox("sub/bin/run")), "run me");
    EXPECT_EQ(static_cast<unsigned>(fs::status(in_sandbox("sub/bin/run")).permissions()), 0755u);
    EXPECT_EQ(text_of(in_sandbox("sub/readme")), "read me");
    EXPECT_TRUE(fs::exists(in_sandbox("sub/tools.tar.gz")));
}

TEST_F(Archive, AZipIsUnpacked) {
    const auto box = sandbox();
    pack(in_sandbox("x.zip"), zip, {{"a", "A"}, {"b/c", "C"}});
    ASSERT_TRUE(extract(box, "x.zip"));
    EXPECT_EQ(text_of(in_sandbox("b/c")), "C");
}

TEST_F(Archive, ACompressedFileLosesItsEnding) {
    const auto box = sandbox();
    pack(in_sandbox("words.txt.gz"), gz, {{"data", "one two"}});
    ASSERT_TRUE(extract(box, "words.txt.gz"));
    EXPECT_EQ(text_of(in_sandbox("words.txt")), "one two");
}

TEST_F(Archive, NothingLeadsOut) {
    const auto box = sandbox();
    const std::string outside = host("").string();
    pack(in_sandbox("up.tar.gz"), tar_gz, {{"../host/planted", "bad"}});
    EXPECT_FALSE(extract(box, "up.tar.gz"));
    pack(in_sandbox("absolute.tar.gz"), tar_gz, {{outside + "planted", "bad"}});
    EXPECT_FALSE(extract(box, "absolute.tar.gz"));
    pack(in_sandbox("link.tar.gz"), tar_gz, {{"l", "", 0777, outside}, {"l/planted", "bad"}});
    extract(box, "link.tar.gz").has_value();
    EXPECT_FALSE(fs::exists(host("planted")));
}

TEST_F(Archive, ADamagedOneIsAnError) {
    const auto box = sandbox();
    write(in_sandbox("x.tar.gz"), "this is no archive, whatever its name says, " + std::string(2000, 'x'));
    const auto extracted = extract(box, "x.tar.gz");
    ASSERT_FALSE(extracted);
    EXPECT_TRUE(extracted.error().message().starts_with("cannot unpack x.tar.gz: ")) << extracted.error().message();
}

TEST(ArchiveName, DecidesWhatIsUnpacked) {
    for (const char* name : {"a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tbz2", "a.tar.xz", "a.txz", "a.zip", "a.gz"})
        EXPECT_TRUE(is_archive(name)) << name;
    for (const char* name : {"a", "tar", ".tar", "a.tar.old", "a.jar"}) EXPECT_FALSE(is_archive(name)) << name;
}

}  // namespace
}  // namespace fairlead::nodeagentd::fetcher
