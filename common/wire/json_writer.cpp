// Writing is the hot half: a master at work prints every offer and status once per JSON client. So
// there is no document in between, and what does not change from message to message (`"name":` with
// quotes and colon, the text of a default) is laid out once per message type, in a MessagePlan.

#include "common/wire/base64.hpp"
#include "common/wire/json.hpp"
#include "common/wire/json_scalars.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fairlead::wire {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

struct MessagePlan;

struct FieldPlan {
    const FieldDescriptor* field;
    std::string key;                // "name":
    std::string default_text;       // what an unset field prints as; empty when it is left out
    const MessagePlan* submessage;  // of a map: the plan of its entries
};

struct MessagePlan {
    std::vector<FieldPlan> fields;
};

template <typename Integer>
void append_integer(Integer number, std::string& out) {
    char text[24];
    out.append(text, std::to_chars(std::begin(text), std::end(text), number).ptr);
}

void append_text_or_bytes(const FieldDescriptor& field, std::string_view value, std::string& out) {
    if (field.type() != FieldDescriptor::TYPE_BYTES) return append_json_text(value, out);
    out.push_back('"');
    append_base64(value, out);
    out.push_back('"');
}

std::string default_text(const FieldDescriptor& field) {
    std::string text;
    if (!field.has_default_value() || field.options().deprecated()) return text;
    switch (field.cpp_type()) {
        case FieldDescriptor::CPPTYPE_INT32:
            append_integer(field.default_value_int32(), text);
            break;
        case FieldDescriptor::CPPTYPE_INT64:
            append_integer(field.default_value_int64(), text);
            break;
        case FieldDescriptor::CPPTYPE_UINT32:
            append_integer(field.default_value_uint32(), text);
            break;
        case FieldDescriptor::CPPTYPE_UINT64:
            append_integer(field.default_value_uint64(), text);
            break;
        case FieldDescriptor::CPPTYPE_DOUBLE:
            append_json_number(field.default_value_double(), text);
            break;
        case FieldDescriptor::CPPTYPE_FLOAT:
            append_json_number(field.default_value_float(), text);
            break;
        case FieldDescriptor::CPPTYPE_BOOL:
            text = field.default_value_bool() ? "true" : "false";
            break;
        case FieldDescriptor::CPPTYPE_ENUM:
            append_json_text(field.default_value_enum()->name(), text);
            break;
        case FieldDescriptor::CPPTYPE_STRING:
            append_text_or_bytes(field, field.default_value_string(), text);
            break;
        case FieldDescriptor::CPPTYPE_MESSAGE:
            break;
    }
    return text;
}

// Message types are few and live as long as the program, so a plan once made stays.
class PlanBook {
  public:
    const MessagePlan& plan_of(const Descriptor* type) {
        {
            std::shared_lock lock(mutex_);
            if (const auto found = plans_.find(type); found != plans_.end()) return *found->second;
        }
        std::unique_lock lock(mutex_);
        return make(type);
    }

  private:
    const MessagePlan& make(const Descriptor* type) {
        auto& place = plans_[type];
        if (place) return *place;
        place = std::make_unique<MessagePlan>();  // before its fields: types may contain themselves
        MessagePlan& plan = *place;
        for (int i = 0; i < type->field_count(); ++i) {
            const FieldDescriptor* field = type->field(i);
            std::string key;
            append_json_text(field->name(), key);
            key.push_back(':');
            plan.fields.push_back({field, std::move(key), default_text(*field),
                                   field->message_type() ? &make(field->message_type()) : nullptr});
        }
        return plan;
    }

    std::shared_mutex mutex_;
    std::unordered_map<const Descriptor*, std::unique_ptr<MessagePlan>> plans_;
};

PlanBook& plan_book() {
    static PlanBook book;
    return book;
}

void append_message(const Message& message, const MessagePlan& plan, std::string& out);

constexpr int not_repeated = -1;

// One value: the field's own, or the one at `index` of a repeated field.
void append_value(const Message& message, const Reflection& reflection, const FieldPlan& plan,
                  int index, std::string& out) {
    const FieldDescriptor* field = plan.field;
    const auto get = [&](auto single, auto repeated) {
        return index == not_repeated ? (reflection.*single)(message, field)
                                     : (reflection.*repeated)(message, field, index);
    };
    switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_INT32:
            append_integer(get(&Reflection::GetInt32, &Reflection::GetRepeatedInt32), out);
            break;
        case FieldDescriptor::CPPTYPE_INT64:
            append_integer(get(&Reflection::GetInt64, &Reflection::GetRepeatedInt64), out);
            break;
        case FieldDescriptor::CPPTYPE_UINT32:
            append_integer(get(&Reflection::GetUInt32, &Reflection::GetRepeatedUInt32), out);
            break;
        case FieldDescriptor::CPPTYPE_UINT64:
            append_integer(get(&Reflection::GetUInt64, &Reflection::GetRepeatedUInt64), out);
            break;
        case FieldDescriptor::CPPTYPE_DOUBLE:
            append_json_number(get(&Reflection::GetDouble, &Reflection::GetRepeatedDouble), out);
            break;
        case FieldDescriptor::CPPTYPE_FLOAT:
            append_json_number(get(&Reflection::GetFloat, &Reflection::GetRepeatedFloat), out);
            break;
        case FieldDescriptor::CPPTYPE_BOOL:
            out.append(get(&Reflection::GetBool, &Reflection::GetRepeatedBool) ? "true" : "false");
            break;
        case FieldDescriptor::CPPTYPE_ENUM:
            append_json_text(get(&Reflection::GetEnum, &Reflection::GetRepeatedEnum)->name(), out);
            break;
        case FieldDescriptor::CPPTYPE_STRING: {
            std::string scratch;
            const std::string& text =
                index == not_repeated
                    ? reflection.GetStringReference(message, field, &scratch)
                    : reflection.GetRepeatedStringReference(message, field, index, &scratch);
            append_text_or_bytes(*field, text, out);
            break;
        }
        case FieldDescriptor::CPPTYPE_MESSAGE:
            append_message(index == not_repeated
                               ? reflection.GetMessage(message, field)
                               : reflection.GetRepeatedMessage(message, field, index),
                           *plan.submessage, out);
            break;
    }
}

void append_list(const Message& message, const Reflection& reflection, const FieldPlan& plan,
                 int size, std::string& out) {
    out.push_back('[');
    for (int i = 0; i < size; ++i) {
        if (i > 0) out.push_back(',');
        append_value(message, reflection, plan, i, out);
    }
    out.push_back(']');
}

// A key that is no text is quoted all the same: JSON has no other keys.
std::string map_key_text(const Message& entry, const FieldPlan& key) {
    std::string text;
    append_value(entry, *entry.GetReflection(), key, not_repeated, text);
    return text.front() == '"' ? text : '"' + text + '"';
}

void append_map(const Message& message, const Reflection& reflection, const FieldPlan& plan,
                int size, std::string& out) {
    const FieldPlan& key = plan.submessage->fields[0];
    const FieldPlan& value = plan.submessage->fields[1];
    std::vector<std::pair<std::string, const Message*>> entries;
    entries.reserve(size);
    for (int i = 0; i < size; ++i) {
        const Message& entry = reflection.GetRepeatedMessage(message, plan.field, i);
        entries.emplace_back(map_key_text(entry, key), &entry);
    }
    std::sort(entries.begin(), entries.end());
    out.push_back('{');
    bool first = true;
    for (const auto& [key_text, entry] : entries) {
        if (!std::exchange(first, false)) out.push_back(',');
        out.append(key_text);
        out.push_back(':');
        append_value(*entry, *entry->GetReflection(), value, not_repeated, out);
    }
    out.push_back('}');
}

void append_message(const Message& message, const MessagePlan& plan, std::string& out) {
    const Reflection& reflection = *message.GetReflection();
    out.push_back('{');
    const std::size_t start = out.size();
    const auto begin_field = [&](const FieldPlan& field) {
        if (out.size() != start) out.push_back(',');
        out.append(field.key);
    };
    for (const FieldPlan& field : plan.fields) {
        if (field.field->is_repeated()) {
            const int size = reflection.FieldSize(message, field.field);
            if (size == 0) continue;
            begin_field(field);
            field.field->is_map() ? append_map(message, reflection, field, size, out)
                                  : append_list(message, reflection, field, size, out);
        } else if (reflection.HasField(message, field.field)) {
            begin_field(field);
            append_value(message, reflection, field, not_repeated, out);
        } else if (!field.default_text.empty()) {
            begin_field(field);
            out.append(field.default_text);
        }
    }
    out.push_back('}');
}

}  // namespace

void append_json(const Message& message, std::string& out) {
    append_message(message, plan_book().plan_of(message.GetDescriptor()), out);
}

std::string to_json(const Message& message) {
    std::string out;
    append_json(message, out);
    return out;
}

}  // namespace fairlead::wire
