#include "common/base/error.hpp"

#include <cstring>
#include <stdexcept>

namespace fairlead::base {

std::string_view to_string(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid_argument: return "invalid argument";
        case ErrorCode::not_found: return "not found";
        case ErrorCode::already_exists: return "already exists";
        case ErrorCode::conflict: return "conflict";
        case ErrorCode::permission_denied: return "permission denied";
        case ErrorCode::limit_exceeded: return "limit exceeded";
        case ErrorCode::unavailable: return "unavailable";
        case ErrorCode::timed_out: return "timed out";
        case ErrorCode::outcome_unknown: return "outcome unknown";
        case ErrorCode::cancelled: return "cancelled";
        case ErrorCode::malformed: return "malformed";
        case ErrorCode::io: return "input/output error";
        case ErrorCode::invalid_config: return "invalid configuration";
    }
    return "unknown error";
}

Error Error::caused(ErrorCode code, std::string context) const {
    Error outer(code, std::move(context));
    outer.cause_ = std::make_shared<const Error>(*this);
    return outer;
}

std::string Error::message() const {
    std::string text = context_;
    for (const Error* inner = cause(); inner != nullptr; inner = inner->cause()) {
        text += ": ";
        text += inner->context_;
    }
    return text;
}

Error errno_error(std::string_view what, int saved_errno) {
    return Error(ErrorCode::io, std::string(what) + ": " + std::strerror(saved_errno));
}

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
    throw std::logic_error(error.message() + " (unchecked at " + where.to_string() + ")");
}

}  // namespace fairlead::base
