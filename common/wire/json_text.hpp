#pragma once
// One JSON text, written front to back without a tree in between; knows only where a comma is due. Whoever writes
// closes what it has opened.

#include "common/wire/json.hpp"
#include "common/wire/json_scalars.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::wire {

class JsonText {
  public:
    JsonText& object() { return open('{'); }
    JsonText& array() { return open('['); }
    JsonText& end_object() { return close('}'); }
    JsonText& end_array() { return close(']'); }
    JsonText& key(std::string_view name) {
        comma();
        append_json_text(name, out_);
        out_ += ':';
        comma_due_ = false;
        return *this;
    }
    JsonText& text(std::string_view value) {
        comma();
        append_json_text(value, out_);
        return *this;
    }
    JsonText& number(double value) {
        comma();
        append_json_number(value, out_);
        return *this;
    }
    JsonText& count(std::uint64_t value) { return raw(std::to_string(value)); }
    JsonText& truth(bool value) { return raw(value ? "true" : "false"); }
    JsonText& message(const google::protobuf::Message& value) { return raw(to_json(value)); }
    std::string take() { return std::move(out_); }

  private:
    JsonText& raw(std::string_view value) {
        comma();
        out_ += value;
        return *this;
    }
    JsonText& open(char bracket) {
        comma();
        out_ += bracket;
        comma_due_ = false;
        return *this;
    }
    JsonText& close(char bracket) {
        out_ += bracket;
        comma_due_ = true;
        return *this;
    }
    void comma() {
        if (comma_due_) out_ += ',';
        comma_due_ = true;
    }

    std::string out_;
    bool comma_due_ = false;
};

}  // namespace fairlead::wire
