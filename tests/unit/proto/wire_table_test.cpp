// Holds our messages to mesos_v1.table in both directions: what it names exists as it says, and
// what we have beside it is numbered from 1000 up.

#include "fairlead/v1/executor.pb.h"
#include "fairlead/v1/master.pb.h"
#include "fairlead/v1/mesos.pb.h"
#include "fairlead/v1/scheduler.pb.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace fairlead {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

constexpr int first_number_of_ours = 1000;

struct Field {
    std::string name;
    int number = 0;
    std::string type;   // as written: string, map<string,Scalar>, Offer.Operation ...
    std::string label;  // optional, required, repeated
    std::string default_value;
    std::string oneof;
};

struct Table {
    std::map<std::string, std::vector<Field>> messages;           // by full name
    std::map<std::string, std::map<std::string, int>> enums;      // by full name
};

std::vector<std::string> split(const std::string& text, const std::string& separator) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find(separator, begin), text.size());
        if (end > begin) parts.push_back(text.substr(begin, end - begin));
        begin = end + separator.size();
    }
    return parts;
}

Field field_from(const std::string& text) {
    const auto words = split(text, " ");
    Field field{words.at(0), std::stoi(words.at(1)), words.at(2), "optional", {}, {}};
    if (field.type.back() == '!') field.label = "required";
    if (field.type.back() == '*' || field.type.starts_with("map<")) field.label = "repeated";
    if (field.type.back() == '!' || field.type.back() == '*') field.type.pop_back();
    for (std::size_t i = 3; i < words.size(); ++i)
        (words[i].front() == '=' ? field.default_value : field.oneof) = words[i].substr(1);
    return field;
}

Table read_table() {
    Table table;
    std::ifstream file(WIRE_TABLE);
    std::string line;
    std::string package;
    while (std::getline(file, line)) {
        if (line.empty() || line.front() == '#') continue;
        if (line.starts_with("package ")) {
            package = line.substr(8) + ".";
            continue;
        }
        const bool is_enum = line.starts_with("enum ");
        const std::size_t begin = is_enum ? 5 : 8;
        const std::size_t colon = line.find(':');
        const std::string name = package + line.substr(begin, colon - begin);
        const std::string body = line.substr(std::min(colon + 2, line.size()));
        if (!is_enum) {
            auto& fields = table.messages[name];
            for (const auto& field : split(body, "; ")) fields.push_back(field_from(field));
            continue;
        }
        for (const auto& value : split(body, " ")) {
            const auto equals = value.find('=');
            table.enums[name][value.substr(0, equals)] = std::stoi(value.substr(equals + 1));
        }
    }
    return table;
}

std::string label_of(const FieldDescriptor& field) {
    return field.is_required() ? "required" : field.is_repeated() ? "repeated" : "optional";
}

std::string type_of(const FieldDescriptor& field) {
    if (field.is_map()) {
        const auto* entry = field.message_type();
        return "map<" + type_of(*entry->field(0)) + "," + type_of(*entry->field(1)) + ">";
    }
    if (field.message_type()) return field.message_type()->full_name();
    if (field.enum_type()) return field.enum_type()->full_name();
    return field.type_name();
}

std::string default_of(const FieldDescriptor& field) {
    if (!field.has_default_value()) return {};
    switch (field.cpp_type()) {
        case FieldDescriptor::CPPTYPE_DOUBLE:
            return fmt::format("{:.1f}", field.default_value_double());
        case FieldDescriptor::CPPTYPE_BOOL:
            return field.default_value_bool() ? "true" : "false";
        case FieldDescriptor::CPPTYPE_STRING:
            return field.default_value_string();
        case FieldDescriptor::CPPTYPE_ENUM:
            return field.default_value_enum()->name();
        case FieldDescriptor::CPPTYPE_INT32:
            return std::to_string(field.default_value_int32());
        case FieldDescriptor::CPPTYPE_UINT32:
            return std::to_string(field.default_value_uint32());
        default:
            return "?";
    }
}

// `written` leaves out what scope says: Scalar for fairlead.v1.Value.Scalar.
bool is_named(const std::string& full, const std::string& written) {
    if (!written.starts_with("map<"))
        return full == written || full.ends_with("." + written);
    if (!full.starts_with("map<")) return false;
    const auto comma = full.find(',');
    const auto written_comma = written.find(',');
    return full.substr(0, comma) == written.substr(0, written_comma) &&
           is_named(full.substr(comma + 1, full.size() - comma - 2),
                    written.substr(written_comma + 1, written.size() - written_comma - 2));
}

void check_field(const FieldDescriptor& field, const Field& wanted) {
    SCOPED_TRACE(field.full_name());
    EXPECT_EQ(field.number(), wanted.number);
    EXPECT_EQ(label_of(field), wanted.label);
    EXPECT_PRED2(is_named, type_of(field), wanted.type);
    EXPECT_EQ(default_of(field), wanted.default_value);
    EXPECT_EQ(field.real_containing_oneof() ? field.real_containing_oneof()->name() : "",
              wanted.oneof);
}

template <typename Visit>
void each_message(const Descriptor& message, const Visit& visit) {
    if (message.options().map_entry()) return;
    visit(message);
    for (int i = 0; i < message.nested_type_count(); ++i)
        each_message(*message.nested_type(i), visit);
}

const std::vector<const FileDescriptor*>& public_files() {
    static const std::vector<const FileDescriptor*> files{
        v1::Offer::descriptor()->file(), v1::scheduler::Call::descriptor()->file(),
        v1::executor::Call::descriptor()->file(), v1::master::Call::descriptor()->file(),
        v1::quota::QuotaInfo::descriptor()->file()};
    return files;
}

TEST(WireTable, EveryMessageAndFieldIsAsClientsKnowIt) {
    const Table table = read_table();
    ASSERT_GT(table.messages.size(), 200u);
    for (const auto& [name, fields] : table.messages) {
        const auto* message = DescriptorPool::generated_pool()->FindMessageTypeByName(name);
        if (message == nullptr) {
            ADD_FAILURE() << "no message " << name;
            continue;
        }
        for (const Field& wanted : fields) {
            const auto* field = message->FindFieldByName(wanted.name);
            if (field == nullptr)
                ADD_FAILURE() << "no field " << name << "." << wanted.name;
            else
                check_field(*field, wanted);
        }
    }
}

TEST(WireTable, EveryEnumValueIsAsClientsKnowIt) {
    const Table table = read_table();
    ASSERT_GT(table.enums.size(), 30u);
    for (const auto& [name, values] : table.enums) {
        const auto* type = DescriptorPool::generated_pool()->FindEnumTypeByName(name);
        if (type == nullptr) {
            ADD_FAILURE() << "no enum " << name;
            continue;
        }
        for (const auto& [value, number] : values) {
            const auto* found = type->FindValueByName(value);
            if (found == nullptr)
                ADD_FAILURE() << "no value " << name << "." << value;
            else
                EXPECT_EQ(found->number(), number) << name << "." << value;
        }
    }
}

// A message of ours may have its own numbers; a field or value that we add to one of theirs may not.
TEST(WireTable, WhatWeAddIsNumberedFrom1000) {
    const Table table = read_table();
    const auto check_enum = [&](const EnumDescriptor& type) {
        const auto known = table.enums.find(type.full_name());
        if (known == table.enums.end()) return;
        for (int i = 0; i < type.value_count(); ++i)
            if (!known->second.contains(type.value(i)->name()))
                EXPECT_GE(type.value(i)->number(), first_number_of_ours)
                    << type.value(i)->full_name();
    };
    const auto check = [&](const Descriptor& message) {
        for (int i = 0; i < message.enum_type_count(); ++i) check_enum(*message.enum_type(i));
        const auto known = table.messages.find(message.full_name());
        if (known == table.messages.end()) return;
        std::set<std::string> names;
        for (const Field& field : known->second) names.insert(field.name);
        for (int i = 0; i < message.field_count(); ++i)
            if (!names.contains(message.field(i)->name()))
                EXPECT_GE(message.field(i)->number(), first_number_of_ours)
                    << message.field(i)->full_name();
    };
    for (const auto* file : public_files()) {
        for (int i = 0; i < file->message_type_count(); ++i)
            each_message(*file->message_type(i), check);
        for (int i = 0; i < file->enum_type_count(); ++i) check_enum(*file->enum_type(i));
    }
}

}  // namespace
}  // namespace fairlead
