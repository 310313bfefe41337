#include "common/config/config.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace fairlead::config {
namespace {

using namespace std::chrono_literals;

const std::vector<Key> keys{{"Master", "Listen"}, {"Master", "OfferTimeout"}, {"Master", "Quiet"}, {"Master", "Max"}};

class ConfigFiles : public testing::Test {
  protected:
    ConfigFiles() {
        char name[] = "/tmp/fairlead-config-XXXXXX";
        root_ = mkdtemp(name);
    }
    ~ConfigFiles() override { std::filesystem::remove_all(root_); }

    void write(const char* file, const char* text) {
        const auto path = root_ / file;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << text;
    }
    base::Result<Config> load() { return Config::load("masterd", keys, root_); }
    std::string failure() {
        auto loaded = load();
        return loaded ? "" : loaded.error().message();
    }

    std::filesystem::path root_;
};

}  // namespace

TEST_F(ConfigFiles, NoFileIsAnEmptyConfiguration) { EXPECT_FALSE(load().value().text("Master", "Listen")); }

TEST_F(ConfigFiles, EtcWinsOverRunWinsOverUsr) {
    write("usr/lib/fairlead/masterd.conf", "[Master]\nListen=usr\n");
    EXPECT_EQ(load().value().text("Master", "Listen"), "usr");
    write("run/fairlead/masterd.conf", "[Master]\nListen=run\n");
    EXPECT_EQ(load().value().text("Master", "Listen"), "run");
    write("etc/fairlead/masterd.conf", "[Master]\nListen=etc\n");
    EXPECT_EQ(load().value().text("Master", "Listen"), "etc");
}

TEST_F(ConfigFiles, DropInsComeInTheOrderOfTheirNamesWhereverTheyStand) {
    write("etc/fairlead/masterd.conf", "[Master]\nListen=main\n");
    write("usr/lib/fairlead/masterd.conf.d/50-a.conf", "[Master]\nListen=fifty\n");
    write("etc/fairlead/masterd.conf.d/10-b.conf", "[Master]\nListen=ten\n");
    EXPECT_EQ(load().value().text("Master", "Listen"), "fifty");
    write("etc/fairlead/masterd.conf.d/50-a.conf", "# hides the other\n");
    EXPECT_EQ(load().value().text("Master", "Listen"), "ten");
}

TEST_F(ConfigFiles, ALinkToDevNullMasksADropIn) {
    write("usr/lib/fairlead/masterd.conf.d/50-a.conf", "[Master]\nListen=fifty\n");
    std::filesystem::create_directories(root_ / "etc/fairlead/masterd.conf.d");
    std::filesystem::create_symlink("/dev/null", root_ / "etc/fairlead/masterd.conf.d/50-a.conf");
    EXPECT_FALSE(load().value().text("Master", "Listen"));
}

TEST_F(ConfigFiles, TheLastAssignmentWinsAndAnEmptyOneTakesBack) {
    write("etc/fairlead/masterd.conf", "[Master]\nListen=a\nListen=b\nQuiet=yes\nQuiet=\n");
    EXPECT_EQ(load().value().text("Master", "Listen"), "b");
    EXPECT_FALSE(load().value().boolean("Master", "Quiet").value());
}

TEST_F(ConfigFiles, CommentsAndContinuedLinesAreUnderstood) {
    write("etc/fairlead/masterd.conf", "# one\n; two\n[Master]\nListen=a \\\n  b\n");
    EXPECT_EQ(load().value().text("Master", "Listen"), "a  b");
}

TEST_F(ConfigFiles, ATypoNamesFileLineAndTheNearestKey) {
    write("etc/fairlead/masterd.conf", "[Master]\n\nListne=x\n");
    EXPECT_NE(failure().find("masterd.conf:3: [Master] has no key Listne=; did you mean Listen?"), std::string::npos)
        << failure();
}

TEST_F(ConfigFiles, AnUnknownSectionIsNamed) {
    write("etc/fairlead/masterd.conf", "[Mster]\nListen=x\n");
    EXPECT_NE(failure().find("unknown section [Mster]; did you mean Master?"), std::string::npos) << failure();
}

TEST_F(ConfigFiles, WhatIsNoAssignmentIsRefused) {
    write("etc/fairlead/masterd.conf", "[Master]\nListen\n");
    EXPECT_NE(failure().find(":2: 'Listen' is not of the form Name=value"), std::string::npos) << failure();
    write("etc/fairlead/masterd.conf", "Listen=x\n");
    EXPECT_NE(failure().find(":1: an assignment before the first [Section]"), std::string::npos) << failure();
}

TEST_F(ConfigFiles, TypedValuesSayWhatTheyExpected) {
    write("etc/fairlead/masterd.conf", "[Master]\nOfferTimeout=soon\nQuiet=maybe\nMax=70000\n");
    const auto config = load().value();
    EXPECT_NE(config.duration("Master", "OfferTimeout").error().message().find(":2: [Master] OfferTimeout=soon"),
              std::string::npos);
    EXPECT_FALSE(config.boolean("Master", "Quiet"));
    EXPECT_FALSE(config.number("Master", "Max", 1, 65535));
    EXPECT_EQ(config.number("Master", "Max", 1, 100000).value(), 70000u);
}

TEST(ParseDuration, ReadsWhatSystemdWrites) {
    EXPECT_EQ(parse_duration("5"), 5s);
    EXPECT_EQ(parse_duration("500ms"), 500ms);
    EXPECT_EQ(parse_duration("2min 30s"), 150s);
    EXPECT_EQ(parse_duration("1h30min"), 90min);
    for (const char* wrong : {"", "x", "5 parsecs", "-1s"}) EXPECT_FALSE(parse_duration(wrong)) << wrong;
}

}  // namespace fairlead::config
