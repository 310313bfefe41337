#include "common/resources/wire.hpp"

#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

namespace fairlead::resources {
namespace {

// Resources in protobuf's text form: wire_resources({"name: 'cpus' type: SCALAR ..."}).
WireResources wire_resources(std::initializer_list<std::string> texts) {
    const google::protobuf::LogSilencer quiet;  // it warns about `role`, which is deprecated
    WireResources all;
    for (const auto& text : texts)
        if (!google::protobuf::TextFormat::ParseFromString(text, all.Add()))
            ADD_FAILURE() << "not a Resource: " << text;
    return all;
}

Resources read(std::initializer_list<std::string> texts) {
    return from_wire(wire_resources(texts)).value();
}

std::string text_of(std::initializer_list<std::string> texts) {
    const auto read = from_wire(wire_resources(texts));
    return read ? read->to_string() : "refused: " + read.error().message();
}

std::string refusal(std::initializer_list<std::string> texts) {
    const auto read = from_wire(wire_resources(texts));
    return read ? "" : read.error().message();
}

// One cpu with these further fields.
std::string cpu(const std::string& fields) {
    return "name: 'cpus' type: SCALAR scalar { value: 1 } " + fields;
}

WireResources written(const Resources& from, ReservationFormat format) {
    WireResources to;
    to_wire(from, format, nullptr, to);
    return to;
}

}  // namespace

TEST(ResourcesWire, EachTypeIsRead) {
    EXPECT_EQ(text_of({"name: 'mem' type: SCALAR scalar { value: 95.367431640625 }"}),
              "mem:95.367");
    EXPECT_EQ(text_of({"name: 'ports' type: RANGES ranges { range { begin: 5 end: 9 } range { "
                       "begin: 1 end: 2 } }"}),
              "ports:[1-2, 5-9]");
    EXPECT_EQ(text_of({"name: 'nics' type: SET set { item: 'b' item: 'a' }"}), "nics:{a, b}");
    EXPECT_EQ(text_of({cpu(""), cpu("")}), "cpus:2");
}

TEST(ResourcesWire, WhatAmountsToNothingIsLeftOut) {
    EXPECT_EQ(read({"name: 'gpus' type: SCALAR scalar { value: 0 }",
                    "name: 'ports' type: RANGES ranges {}", "name: 'nics' type: SET set {}"}),
              Resources());
}

TEST(ResourcesWire, AValueThatIsNotItsTypesIsRefusedByName) {
    for (const std::string text :
         {"type: SCALAR", "type: SCALAR ranges {}", "type: RANGES",
          "type: RANGES scalar { value: 1 }", "type: SET", "type: SET scalar { value: 1 }",
          "type: TEXT", "type: SCALAR scalar { value: 1 } ranges {}",
          "type: SCALAR scalar { value: -1 }", "type: SCALAR scalar { value: nan }",
          "type: SCALAR scalar { value: inf }", "type: SCALAR scalar { value: 1e30 }",
          "type: RANGES ranges { range { begin: 2 end: 1 } }",
          "type: RANGES ranges { range { begin: 1 end: 3 } range { begin: 3 end: 4 } }",
          "type: SET set { item: 'a' item: 'a' }"})
        EXPECT_NE(refusal({"name: 'thing' " + text}).find("'thing'"), std::string::npos) << text;
    EXPECT_NE(refusal({"name: '' type: SCALAR scalar { value: 1 }"}), "");
    EXPECT_NE(refusal({"name: 'gpus' type: SCALAR scalar { value: 0.5 }"}), "");
}

TEST(ResourcesWire, TheSamePortTwiceIsRefused) {
    const std::string ports = "name: 'ports' type: RANGES ranges { range { begin: 1 end: 2 } }";
    EXPECT_NE(refusal({ports, ports}), "");
}

TEST(ResourcesWire, BothWaysOfReservingMeanTheSame) {
    EXPECT_EQ(read({cpu("role: 'eng'")}), read({cpu("reservations { type: STATIC role: 'eng' }")}));
    EXPECT_EQ(read({cpu("role: 'eng' reservation { principal: 'p' labels {} }")}),
              read({cpu("reservations { type: DYNAMIC role: 'eng' principal: 'p' labels {} }")}));
    EXPECT_EQ(read({cpu("role: '*'")}), read({cpu("")}));
    EXPECT_NE(read({cpu("role: 'eng'")}), read({cpu("role: 'eng' reservation {}")}));
}

TEST(ResourcesWire, ReservationsWithoutOneMeaningAreRefused) {
    for (const std::string fields :
         {"role: 'eng' reservations { type: STATIC role: 'eng' }", "role: ''", "role: 'a b'",
          "reservation {}", "reservations { type: STATIC }",
          "reservations { type: STATIC role: '*' }", "reservations { role: 'eng' }",
          "reservations { type: UNKNOWN role: 'eng' }",
          "reservations { type: STATIC role: 'a' } reservations { type: DYNAMIC role: 'b' }",
          "reservations { type: STATIC role: 'a' } reservations { type: DYNAMIC role: 'a' }",
          "reservations { type: DYNAMIC role: 'a' } reservations { type: STATIC role: 'a/b' }",
          "role: 'eng' reservation {} revocable {}"})
        EXPECT_NE(refusal({cpu(fields)}), "") << fields;
    EXPECT_EQ(refusal({cpu("reservations { type: STATIC role: 'a' } "
                           "reservations { type: DYNAMIC role: 'a/b' }")}),
              "");
}

TEST(ResourcesWire, LabelsMeanTheSameInAnyOrder) {
    const auto reserved = [](const std::string& labels) {
        return read({cpu("role: 'eng' reservation { labels { " + labels + " } }")});
    };
    const std::string one = "labels { key: 'a' value: '1' } ", other = "labels { key: 'b' } ";
    EXPECT_EQ(reserved(one + other), reserved(other + one));
    EXPECT_NE(reserved(one), reserved(other));
    EXPECT_NE(reserved("labels { key: 'b' }"), reserved("labels { key: 'b' value: '' }"));
}

TEST(ResourcesWire, MountedDisksAndVolumesAreWhole) {
    const auto whole = [](const std::string& disk) {
        bool found = false;
        read({"name: 'disk' type: SCALAR scalar { value: 9 } disk { " + disk + " }"})
            .for_each([&](const Resource& one) { found = one.is_indivisible(); });
        return found;
    };
    EXPECT_TRUE(whole("source { type: MOUNT mount { root: '/a' } }"));
    EXPECT_TRUE(whole("persistence { id: 'v' }"));
    EXPECT_FALSE(whole("source { type: PATH path { root: '/a' } }"));
}

TEST(ResourcesWire, EverythingSurvivesTheStackFormat) {
    const auto all = read(
        {cpu(""),
         cpu("reservations { type: STATIC role: 'a' } reservations { type: DYNAMIC role: 'a/b' "
             "principal: 'p' labels { labels { key: 'k' value: 'v' } } }"),
         cpu("revocable {}"), cpu("provider_id { value: 'provider' }"),
         "name: 'disk' type: SCALAR scalar { value: 9 } shared {} role: 'a' "
         "disk { persistence { id: 'v' } volume { container_path: 'd' mode: RW } }",
         "name: 'ports' type: RANGES ranges { range { begin: 1 end: 2 } }",
         "name: 'nics' type: SET set { item: 'a' }"});
    EXPECT_EQ(from_wire(written(all, ReservationFormat::stack)).value(), all);
}

TEST(ResourcesWire, TheSingleFormatHasNoStackAndAlwaysARole) {
    const auto all =
        read({cpu(""), cpu("role: 'a'"), cpu("role: 'b' reservation { principal: 'p' }")});
    const auto wire = written(all, ReservationFormat::single);
    for (const auto& one : wire) {
        EXPECT_TRUE(one.has_role());
        EXPECT_EQ(one.reservations_size(), 0);
        EXPECT_FALSE(one.reservation().has_type());
        EXPECT_FALSE(one.reservation().has_role());
    }
    EXPECT_EQ(from_wire(wire).value(), all);
}

TEST(ResourcesWire, TheRoleOfAnAllocationIsWrittenBeside) {
    const base::Role role("eng");
    WireResources wire;
    to_wire(Resources::parse("cpus:1;mem:2").value(), ReservationFormat::stack, &role, wire);
    for (const auto& one : wire) EXPECT_EQ(one.allocation_info().role(), "eng");
    EXPECT_EQ(allocation_role_of(wire).value(), role);
    wire.Mutable(0)->mutable_allocation_info()->set_role("other");
    EXPECT_FALSE(allocation_role_of(wire));
    EXPECT_TRUE(allocation_role_of(wire_resources({cpu("")})).value().empty());
}

}  // namespace fairlead::resources
