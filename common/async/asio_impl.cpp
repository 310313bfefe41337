// The one translation unit that holds Asio's own code: every other file sees its declarations only,
// which keeps builds short and the library present once in each program.

#include <boost/asio/impl/src.hpp>
