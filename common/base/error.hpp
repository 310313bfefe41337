#pragma once
// The one way in which a call that runs after start-up can fail: Result<T> carries a value or an Error. An Error has a
// code (a caller acts on it), one line of context (a human reads it) and, where one failure led to another, its cause.
// A new code is justified only by a caller that would act differently on it.

#include <boost/system/result.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace fairlead::base {

enum class ErrorCode {
    invalid_argument,   // the caller's mistake: answer it, do not log it as an error
    not_found,
    already_exists,
    conflict,           // it is not as the caller last saw it: read again and decide anew
    permission_denied,
    limit_exceeded,     // a bound of ours was reached; the message names the bound
    unavailable,        // the environment: retry with backoff
    timed_out,          // nothing is known to have happened in the time allowed
    outcome_unknown,    // it may have happened: reconcile, do not retry blindly
    cancelled,          // we are shutting down
    malformed,          // bytes that do not parse
    io,                 // the operating system said no; the message carries errno's text
    invalid_config,     // ends the program at start with exit status 78
};

std::string_view to_string(ErrorCode code);

class Error {
  public:
    Error() = default;  // what boost::system::result hands out when asked for the error of a success
    Error(ErrorCode code, std::string context) : code_(code), context_(std::move(context)) {}

    ErrorCode code() const { return code_; }
    const std::string& context() const { return context_; }
    const Error* cause() const { return cause_.get(); }

    // The same failure seen from one level up: `context` says what was being attempted.
    Error caused(ErrorCode code, std::string context) const;
    Error in(std::string context) const { return caused(code_, std::move(context)); }

    // "cannot start scope x: call timed out after 25 s", from the outermost context to the innermost.
    std::string message() const;

  private:
    ErrorCode code_ = ErrorCode::invalid_argument;
    std::string context_;
    std::shared_ptr<const Error> cause_;
};

// `io` with the text of `saved_errno`: errno_error("open /etc/x", errno).
Error errno_error(std::string_view what, int saved_errno);

// Found by argument-dependent lookup when a failed Result is asked for its value: that is a bug of ours.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& where);

template <typename T>
using Result = boost::system::result<T, Error>;

using Status = Result<void>;

}  // namespace fairlead::base
