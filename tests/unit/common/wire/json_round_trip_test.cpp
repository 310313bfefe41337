#include "common/wire/json.hpp"

#include "fairlead/v1/mesos.pb.h"
#include "fairlead/v1/scheduler.pb.h"

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

namespace fairlead::wire {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Any text that is UTF-8: code points up to U+07FF, written by hand as one or two bytes.
std::string any_text() {
    std::string text;
    for (const int code_point : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 0x800))) {
        if (code_point < 0x80) {
            text.push_back(static_cast<char>(code_point));
        } else {
            text.push_back(static_cast<char>(0xc0 | code_point >> 6));
            text.push_back(static_cast<char>(0x80 | (code_point & 0x3f)));
        }
    }
    return text;
}

double any_double() {
    const double number = *rc::gen::arbitrary<double>();
    return std::isnan(number) ? 0.5 : number;
}

void fill(Message& message, int depth);

void set_any(Message& message, const FieldDescriptor* field, int depth) {
    const auto& reflection = *message.GetReflection();
    const bool add = field->is_repeated();
    const auto put = [&](auto value, auto set, auto append) {
        add ? (reflection.*append)(&message, field, value)
            : (reflection.*set)(&message, field, value);
    };
    using google::protobuf::Reflection;
    switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_INT32:
            return put(*rc::gen::arbitrary<std::int32_t>(), &Reflection::SetInt32,
                       &Reflection::AddInt32);
        case FieldDescriptor::CPPTYPE_INT64:
            return put(*rc::gen::arbitrary<std::int64_t>(), &Reflection::SetInt64,
                       &Reflection::AddInt64);
        case FieldDescriptor::CPPTYPE_UINT32:
            return put(*rc::gen::arbitrary<std::uint32_t>(), &Reflection::SetUInt32,
                       &Reflection::AddUInt32);
        case FieldDescriptor::CPPTYPE_UINT64:
            return put(*rc::gen::arbitrary<std::uint64_t>(), &Reflection::SetUInt64,
                       &Reflection::AddUInt64);
        case FieldDescriptor::CPPTYPE_DOUBLE:
            return put(any_double(), &Reflection::SetDouble, &Reflection::AddDouble);
        case FieldDescriptor::CPPTYPE_FLOAT:
            return put(1.5F, &Reflection::SetFloat, &Reflection::AddFloat);
        case FieldDescriptor::CPPTYPE_BOOL:
            return put(*rc::gen::arbitrary<bool>(), &Reflection::SetBool, &Reflection::AddBool);
        case FieldDescriptor::CPPTYPE_ENUM: {
            const auto* type = field->enum_type();
            return put(type->value(*rc::gen::inRange(0, type->value_count())), &Reflection::SetEnum,
                       &Reflection::AddEnum);
        }
        case FieldDescriptor::CPPTYPE_STRING:
            return put(field->type() == FieldDescriptor::TYPE_BYTES
                           ? *rc::gen::arbitrary<std::string>()
                           : any_text(),
                       &Reflection::SetString, &Reflection::AddString);
        case FieldDescriptor::CPPTYPE_MESSAGE:
            fill(add ? *reflection.AddMessage(&message, field)
                     : *reflection.MutableMessage(&message, field),
                 depth + 1);
    }
}

// Required fields, and of the others some: all of those with a declared default, which JSON prints
// unasked.
void fill(Message& message, int depth) {
    const Descriptor* type = message.GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
        const FieldDescriptor* field = type->field(i);
        const bool always =
            field->is_required() || field->has_default_value() || type->options().map_entry();
        if (!always && (depth > 4 || *rc::gen::inRange(0, 4) != 0)) continue;
        set_any(message, field, depth);
        if (field->is_repeated() && !field->is_map() && depth < 3) set_any(message, field, depth);
    }
}

template <typename M>
void check_round_trip() {
    M message;
    fill(message, 0);
    const std::string text = to_json(message);
    RC_ASSERT(std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; }));
    M read;
    const auto status = from_json(text, read);
    if (!status) RC_FAIL(status.error().message() + "\n" + text);
    if (!google::protobuf::util::MessageDifferencer::Equals(message, read)) {
        RC_FAIL(text + "\n" + to_json(read));
    }
}

RC_GTEST_PROP(JsonRoundTrip, TaskStatus, ()) {
    check_round_trip<v1::TaskStatus>();
}
RC_GTEST_PROP(JsonRoundTrip, TaskInfo, ()) {
    check_round_trip<v1::TaskInfo>();
}
RC_GTEST_PROP(JsonRoundTrip, Offer, ()) {
    check_round_trip<v1::Offer>();
}
RC_GTEST_PROP(JsonRoundTrip, SchedulerCall, ()) {
    check_round_trip<v1::scheduler::Call>();
}

RC_GTEST_PROP(JsonRoundTrip, DoublesAreExact, (double number)) {
    RC_PRE(!std::isnan(number));
    v1::Value::Scalar scalar;
    scalar.set_value(number);
    v1::Value::Scalar read;
    RC_ASSERT(from_json(to_json(scalar), read).has_value());
    RC_ASSERT(read.value() == number);
}

}  // namespace
}  // namespace fairlead::wire
