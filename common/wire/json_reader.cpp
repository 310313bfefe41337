// Reading without a document in between: the JSON parser reports what it meets, and JsonReader puts
// it into the message at once. What a peer can make grow is therefore the message itself; fields
// that we do not know cost nothing.
//
// Where the parser stands is a stack of frames: the object being filled, or the list or map of one
// of its fields.

#include "common/wire/base64.hpp"
#include "common/wire/json.hpp"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <boost/json/basic_parser_impl.hpp>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace fairlead::wire {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr std::size_t message_nesting_max = 64;  // as for protobuf bytes
constexpr std::size_t json_nesting_max =
    2 * message_nesting_max;  // each message may stand in a list

// Text as an error message quotes it.
std::string excerpt(std::string_view text) {
    constexpr std::size_t excerpt_bytes_max = 40;
    if (text.size() <= excerpt_bytes_max) return fmt::format("\"{}\"", text);
    return fmt::format("\"{}...\"", text.substr(0, excerpt_bytes_max));
}

std::optional<double> parse_double(std::string_view text) {
    double number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ptr != text.data() + text.size() || text.empty()) return std::nullopt;
    if (parsed.ec == std::errc::result_out_of_range) return std::nullopt;
    if (parsed.ec != std::errc{}) return std::nullopt;
    return number;
}

// A number as it was written, for a field of any numeric type. 3600000, 3.6e+06 and "3600000" are
// the same.
template <typename Integer>
std::optional<Integer> parse_integer(std::string_view text) {
    Integer number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size()) return number;

    const auto real = parse_double(text);
    // Both bounds are powers of two (or zero), which a double holds exactly; max() itself it may
    // not.
    constexpr double lowest = static_cast<double>(std::numeric_limits<Integer>::min());
    const double beyond = std::ldexp(1.0, std::numeric_limits<Integer>::digits);
    if (!real || std::trunc(*real) != *real || *real < lowest || *real >= beyond)
        return std::nullopt;
    return static_cast<Integer>(*real);
}

bool is_numeric(const FieldDescriptor& field) {
    switch (field.cpp_type()) {
        case FieldDescriptor::CPPTYPE_BOOL:
        case FieldDescriptor::CPPTYPE_ENUM:
        case FieldDescriptor::CPPTYPE_STRING:
        case FieldDescriptor::CPPTYPE_MESSAGE:
            return false;
        default:
            return true;
    }
}

class JsonReader {
  public:
    // What the parser asks of its handler; sizes are bounded by the body that we were given.
    static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

    explicit JsonReader(Message& root) : root_(root) {}

    // Why the parser was stopped by us, if it was.
    const std::optional<std::string>& complaint() const { return complaint_; }
    // The field that was being read: "accept.operations[0].launch".
    std::string path() const;

    bool on_document_begin(boost::json::error_code&) { return true; }
    bool on_document_end(boost::json::error_code&) { return true; }
    bool on_object_begin(boost::json::error_code& ec);
    bool on_object_end(std::size_t, boost::json::error_code&) { return leave(); }
    bool on_array_begin(boost::json::error_code& ec);
    bool on_array_end(std::size_t, boost::json::error_code&) { return leave(); }
    bool on_key_part(boost::json::string_view part, std::size_t, boost::json::error_code&);
    bool on_key(boost::json::string_view part, std::size_t, boost::json::error_code&);
    bool on_string_part(boost::json::string_view part, std::size_t, boost::json::error_code&);
    bool on_string(boost::json::string_view part, std::size_t, boost::json::error_code& ec);
    bool on_number_part(boost::json::string_view part, boost::json::error_code&);
    bool on_int64(std::int64_t, boost::json::string_view part, boost::json::error_code& ec);
    bool on_uint64(std::uint64_t, boost::json::string_view part, boost::json::error_code& ec);
    bool on_double(double, boost::json::string_view part, boost::json::error_code& ec);
    bool on_bool(bool value, boost::json::error_code& ec);
    bool on_null(boost::json::error_code& ec);
    bool on_comment_part(boost::json::string_view, boost::json::error_code&) { return true; }
    bool on_comment(boost::json::string_view, boost::json::error_code&) { return true; }

  private:
    enum class Shape { object, list, map };

    struct Frame {
        Shape shape;
        Message* message;  // the object itself, or the one whose field is the list or map
        const FieldDescriptor* field;  // the field being read; none for a key that we do not know
        std::string map_key;
    };

    // Where a value goes. For a map that is the value of a new entry.
    struct Slot {
        Message* message;
        const FieldDescriptor* field;
    };

    bool skipping() const {
        return skipped_depth_ > 0 || (!frames_.empty() && !frames_.back().field);
    }
    bool refuse(std::string complaint, boost::json::error_code& ec);
    bool refuse_for(const FieldDescriptor& field, std::string_view got,
                    boost::json::error_code& ec);
    const FieldDescriptor* expected() const;
    Slot open_slot();
    bool enter(Shape shape, Message* message, const FieldDescriptor* field,
               boost::json::error_code& ec);
    bool leave();
    bool put_number(std::string_view text, std::string_view as_written,
                    boost::json::error_code& ec);
    bool put_text(std::string text, boost::json::error_code& ec);
    bool put_enum(const std::string& name, boost::json::error_code& ec);

    template <typename Value, typename Set, typename Add>
    bool put(Value value, Set set, Add add);

    Message& root_;
    std::vector<Frame> frames_;
    std::size_t message_depth_ = 0;
    std::size_t skipped_depth_ = 0;  // of the objects and lists inside an unknown field
    std::string pending_;  // the first parts of a key, text or number that comes in several
    std::optional<std::string> complaint_;
};

std::string JsonReader::path() const {
    std::string path;
    for (std::size_t i = 0; i < frames_.size(); ++i) {
        const Frame& frame = frames_[i];
        switch (frame.shape) {
            case Shape::object:
                if (!frame.field) break;
                if (!path.empty()) path.push_back('.');
                path.append(frame.field->name());
                break;
            case Shape::list: {
                // An element that was entered has been added already; one that was refused has not.
                const int size =
                    frame.message->GetReflection()->FieldSize(*frame.message, frame.field);
                path.append(fmt::format("[{}]", i + 1 < frames_.size() ? size - 1 : size));
                break;
            }
            case Shape::map:
                path.append(fmt::format("[{}]", excerpt(frame.map_key)));
                break;
        }
    }
    return path;
}

bool JsonReader::refuse(std::string complaint, boost::json::error_code& ec) {
    const std::string at = path();
    complaint_ = at.empty() ? std::move(complaint) : at + ": " + complaint;
    ec = make_error_code(boost::system::errc::invalid_argument);
    return false;
}

bool JsonReader::refuse_for(const FieldDescriptor& field, std::string_view got,
                            boost::json::error_code& ec) {
    std::string_view wanted;
    switch (field.cpp_type()) {
        case FieldDescriptor::CPPTYPE_BOOL:
            wanted = "true or false";
            break;
        case FieldDescriptor::CPPTYPE_MESSAGE:
            wanted = "an object";
            break;
        case FieldDescriptor::CPPTYPE_ENUM:
            wanted = "the name of a value";
            break;
        case FieldDescriptor::CPPTYPE_STRING:
            wanted = field.type() == FieldDescriptor::TYPE_BYTES ? "base64 text" : "text";
            break;
        case FieldDescriptor::CPPTYPE_DOUBLE:
        case FieldDescriptor::CPPTYPE_FLOAT:
            wanted = "a number";
            break;
        default:
            wanted = "a whole number in the range of its type";
            break;
    }
    return refuse(fmt::format("expected {}, got {}", wanted, got), ec);
}

const FieldDescriptor* JsonReader::expected() const {
    const Frame& top = frames_.back();
    return top.shape == Shape::map ? top.field->message_type()->map_value() : top.field;
}

JsonReader::Slot JsonReader::open_slot() {
    Frame& top = frames_.back();
    if (top.shape != Shape::map) return {top.message, top.field};
    Message* entry = top.message->GetReflection()->AddMessage(top.message, top.field);
    entry->GetReflection()->SetString(entry, top.field->message_type()->map_key(), top.map_key);
    return {entry, top.field->message_type()->map_value()};
}

bool JsonReader::enter(Shape shape, Message* message, const FieldDescriptor* field,
                       boost::json::error_code& ec) {
    if (shape == Shape::object && ++message_depth_ > message_nesting_max) {
        return refuse(fmt::format("nested deeper than {} messages", message_nesting_max), ec);
    }
    frames_.push_back({shape, message, field, {}});
    return true;
}

bool JsonReader::leave() {
    if (skipped_depth_ > 0) {
        --skipped_depth_;
        return true;
    }
    if (frames_.back().shape == Shape::object) --message_depth_;
    frames_.pop_back();
    return true;
}

bool JsonReader::on_object_begin(boost::json::error_code& ec) {
    if (skipping()) {
        ++skipped_depth_;
        return true;
    }
    if (frames_.empty()) return enter(Shape::object, &root_, nullptr, ec);
    const Frame& top = frames_.back();
    if (top.shape == Shape::object && top.field->is_map()) {
        return enter(Shape::map, top.message, top.field, ec);
    }
    if (expected()->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
        return refuse_for(*expected(), "an object", ec);
    }
    const auto [message, field] = open_slot();
    const auto* reflection = message->GetReflection();
    return enter(Shape::object,
                 field->is_repeated() ? reflection->AddMessage(message, field)
                                      : reflection->MutableMessage(message, field),
                 nullptr, ec);
}

bool JsonReader::on_array_begin(boost::json::error_code& ec) {
    if (skipping()) {
        ++skipped_depth_;
        return true;
    }
    if (frames_.empty()) return refuse("expected an object, got a list", ec);
    const Frame& top = frames_.back();
    if (top.shape != Shape::object || !top.field->is_repeated() || top.field->is_map()) {
        return refuse_for(*expected(), "a list", ec);
    }
    return enter(Shape::list, top.message, top.field, ec);
}

bool JsonReader::on_key_part(boost::json::string_view part, std::size_t, boost::json::error_code&) {
    pending_.append(part.data(), part.size());
    return true;
}

bool JsonReader::on_key(boost::json::string_view part, std::size_t, boost::json::error_code& ec) {
    std::string key = std::exchange(pending_, {});
    key.append(part.data(), part.size());
    if (skipped_depth_ > 0) return true;
    Frame& top = frames_.back();
    if (top.shape == Shape::map) {
        top.map_key = std::move(key);
        if (top.field->message_type()->map_key()->type() == FieldDescriptor::TYPE_STRING)
            return true;
        return refuse("only maps with keys of text can be read", ec);
    }
    top.field = top.message->GetDescriptor()->FindFieldByName(key);
    // Of a key that comes twice the later value counts, also where the earlier would be added to.
    if (top.field) top.message->GetReflection()->ClearField(top.message, top.field);
    return true;
}

bool JsonReader::on_string_part(boost::json::string_view part, std::size_t,
                                boost::json::error_code&) {
    pending_.append(part.data(), part.size());
    return true;
}

bool JsonReader::on_string(boost::json::string_view part, std::size_t,
                           boost::json::error_code& ec) {
    std::string text = std::exchange(pending_, {});
    text.append(part.data(), part.size());
    if (skipping()) return true;
    if (frames_.empty()) return refuse("expected an object, got text", ec);
    return put_text(std::move(text), ec);
}

bool JsonReader::on_number_part(boost::json::string_view part, boost::json::error_code&) {
    pending_.append(part.data(), part.size());
    return true;
}

// The text is read again instead of the parser's number: its double may be off by the last bit.
bool JsonReader::on_double(double, boost::json::string_view part, boost::json::error_code& ec) {
    std::string text = std::exchange(pending_, {});
    text.append(part.data(), part.size());
    if (skipping()) return true;
    if (frames_.empty()) return refuse("expected an object, got a number", ec);
    const FieldDescriptor& field = *expected();
    return is_numeric(field) ? put_number(text, text, ec) : refuse_for(field, text, ec);
}

bool JsonReader::on_int64(std::int64_t, boost::json::string_view part,
                          boost::json::error_code& ec) {
    return on_double(0, part, ec);
}

bool JsonReader::on_uint64(std::uint64_t, boost::json::string_view part,
                           boost::json::error_code& ec) {
    return on_double(0, part, ec);
}

bool JsonReader::on_bool(bool value, boost::json::error_code& ec) {
    if (skipping()) return true;
    const std::string_view text = value ? "true" : "false";
    if (frames_.empty()) return refuse(fmt::format("expected an object, got {}", text), ec);
    if (expected()->cpp_type() != FieldDescriptor::CPPTYPE_BOOL) {
        return refuse_for(*expected(), text, ec);
    }
    return put(value, &Reflection::SetBool, &Reflection::AddBool);
}

bool JsonReader::on_null(boost::json::error_code& ec) {
    return frames_.empty() ? refuse("expected an object, got null", ec) : true;
}

template <typename Value, typename Set, typename Add>
bool JsonReader::put(Value value, Set set, Add add) {
    const auto [message, field] = open_slot();
    const Reflection& reflection = *message->GetReflection();
    field->is_repeated() ? (reflection.*add)(message, field, std::move(value))
                         : (reflection.*set)(message, field, std::move(value));
    return true;
}

// `as_written` is the number with its quotes, where it had some.
bool JsonReader::put_number(std::string_view text, std::string_view as_written,
                            boost::json::error_code& ec) {
    const FieldDescriptor& field = *expected();
    const auto put_parsed = [&](auto parsed, auto set, auto add) {
        return parsed ? put(*parsed, set, add) : refuse_for(field, as_written, ec);
    };
    switch (field.cpp_type()) {
        case FieldDescriptor::CPPTYPE_INT32:
            return put_parsed(parse_integer<std::int32_t>(text), &Reflection::SetInt32,
                              &Reflection::AddInt32);
        case FieldDescriptor::CPPTYPE_INT64:
            return put_parsed(parse_integer<std::int64_t>(text), &Reflection::SetInt64,
                              &Reflection::AddInt64);
        case FieldDescriptor::CPPTYPE_UINT32:
            return put_parsed(parse_integer<std::uint32_t>(text), &Reflection::SetUInt32,
                              &Reflection::AddUInt32);
        case FieldDescriptor::CPPTYPE_UINT64:
            return put_parsed(parse_integer<std::uint64_t>(text), &Reflection::SetUInt64,
                              &Reflection::AddUInt64);
        case FieldDescriptor::CPPTYPE_FLOAT: {
            const auto number = parse_double(text);
            return put_parsed(number ? std::optional(static_cast<float>(*number)) : std::nullopt,
                              &Reflection::SetFloat, &Reflection::AddFloat);
        }
        default:
            return put_parsed(parse_double(text), &Reflection::SetDouble, &Reflection::AddDouble);
    }
}

bool JsonReader::put_text(std::string text, boost::json::error_code& ec) {
    const FieldDescriptor& field = *expected();
    if (is_numeric(field)) return put_number(text, excerpt(text), ec);
    switch (field.cpp_type()) {
        case FieldDescriptor::CPPTYPE_BOOL:
            if (text != "true" && text != "false") return refuse_for(field, excerpt(text), ec);
            return put(text == "true", &Reflection::SetBool, &Reflection::AddBool);
        case FieldDescriptor::CPPTYPE_ENUM:
            return put_enum(text, ec);
        case FieldDescriptor::CPPTYPE_STRING:
            break;
        default:
            return refuse_for(field, excerpt(text), ec);
    }
    if (field.type() == FieldDescriptor::TYPE_BYTES) {
        auto bytes = parse_base64(text);
        if (!bytes) return refuse_for(field, excerpt(text), ec);
        text = std::move(*bytes);
    }
    return put(std::move(text), &Reflection::SetString, &Reflection::AddString);
}

// A name that we do not know is of a newer peer: where the field may be absent, it is.
bool JsonReader::put_enum(const std::string& name, boost::json::error_code& ec) {
    const FieldDescriptor& field = *expected();
    const auto* value = field.enum_type()->FindValueByName(name);
    if (value) return put(value, &Reflection::SetEnum, &Reflection::AddEnum);
    if (!field.is_required()) return true;
    return refuse(fmt::format("{} has no value {}", field.enum_type()->name(), excerpt(name)), ec);
}

base::Error malformed(std::string what) {
    return {base::ErrorCode::malformed, std::move(what)};
}

}  // namespace

base::Status from_json(std::string_view text, Message& message) {
    message.Clear();
    boost::json::parse_options options;
    options.max_depth = json_nesting_max;
    boost::json::basic_parser<JsonReader> parser(options, message);
    boost::json::error_code ec;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), ec);
    const JsonReader& reader = parser.handler();
    if (reader.complaint()) return malformed(*reader.complaint());
    if (ec) {
        const std::string path = reader.path();
        return malformed(path.empty()
                             ? fmt::format("no valid JSON: {}", ec.message())
                             : fmt::format("no valid JSON at or after {}: {}", path, ec.message()));
    }
    if (read != text.size()) return malformed("no valid JSON: text after the end of the object");
    if (!message.IsInitialized()) {
        return malformed("missing required fields: " + message.InitializationErrorString());
    }
    return {};
}

}  // namespace fairlead::wire
