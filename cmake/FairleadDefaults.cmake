# What every target shares: language level, warnings, link-time checks, and the libraries we find once.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
# Position-independent as the compiler has it by default, which is one set of flags for libraries and programs alike.
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

include(GNUInstallDirs)

find_program(FAIRLEAD_CCACHE ccache)
if(FAIRLEAD_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${FAIRLEAD_CCACHE})
endif()
find_program(FAIRLEAD_MOLD mold)
if(FAIRLEAD_MOLD)
    add_link_options(-fuse-ld=mold)
endif()

# Debian's unversioned Boost is 1.74; boost::system::result and Boost.JSON as we use them need 1.81.
set(Boost_NO_WARN_NEW_VERSIONS ON)
find_package(Boost 1.81 EXACT REQUIRED COMPONENTS json)
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Protobuf REQUIRED)
find_package(fmt REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd>=252)
# For programs that do little but take and give small pieces of memory, on many threads: a third of a busy master's time.
pkg_check_modules(JEMALLOC REQUIRED IMPORTED_TARGET jemalloc)

# Carried by every target of ours, and by programs that use the installed library: Asio without its legacy interfaces.
# In the tree also warnings as the team reads them.
set(FAIRLEAD_INCLUDE_DIR ${CMAKE_INSTALL_INCLUDEDIR}/fairlead)
add_library(fairlead_defaults INTERFACE)
target_compile_features(fairlead_defaults INTERFACE cxx_std_20)
target_include_directories(fairlead_defaults INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:${FAIRLEAD_INCLUDE_DIR}>)
# -pthread for all, as some libraries bring it: a precompiled header is only taken by a file with the same flags.
target_compile_options(fairlead_defaults INTERFACE $<BUILD_INTERFACE:-pthread>
    $<BUILD_INTERFACE:-Wall> $<BUILD_INTERFACE:-Wextra> $<BUILD_INTERFACE:-Wno-missing-field-initializers>)
target_compile_definitions(fairlead_defaults INTERFACE
    BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
    BOOST_ASIO_DISABLE_CONCEPTS $<BUILD_INTERFACE:FAIRLEAD_VERSION="${PROJECT_VERSION}">)
