// The one translation unit that holds Beast's own code; see common/async/asio_impl.cpp.

#include <boost/beast/src.hpp>
