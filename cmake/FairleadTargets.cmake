# Three verbs for the folders' CMakeLists: a library, a program, a unit test. A library links only what it declares,
# so that a layer cannot reach sideways by accident.

# fairlead_library(NAME SOURCES a.cpp ... [DEPENDS target ...])
function(fairlead_library name)
    cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
    if(arg_SOURCES)
        add_library(${name} STATIC ${arg_SOURCES})
        target_link_libraries(${name} PUBLIC fairlead_defaults ${arg_DEPENDS})
        fairlead_use_precompiled(${name})
    else()
        add_library(${name} INTERFACE)
        target_link_libraries(${name} INTERFACE fairlead_defaults ${arg_DEPENDS})
    endif()
endfunction()

# fairlead_program(NAME SOURCES main.cpp ... [DEPENDS target ...])
function(fairlead_program name)
    cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE fairlead_defaults ${arg_DEPENDS})
    fairlead_use_precompiled(${name})
endfunction()

# GoogleTest's targets define what its header finds out by itself, as it did when it was precompiled. Linked last.
add_library(fairlead_gtest_as_precompiled INTERFACE)
target_compile_options(fairlead_gtest_as_precompiled INTERFACE -UGTEST_HAS_PTHREAD)

# fairlead_unit_test(NAME SOURCES a_test.cpp ... [DEPENDS target ...])
# One binary per folder of tests/unit; ctest runs it as one test under the label `unit`.
function(fairlead_unit_test name)
    cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE fairlead_defaults ${arg_DEPENDS} GTest::gmock GTest::gtest_main
        fairlead_gtest_as_precompiled)
    fairlead_use_precompiled(${name})
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 120)
endfunction()

# Nine tenths of the time that a file of ours takes to compile is spent in the same few headers of others; they are read
# once. A file still includes what it uses: -DFAIRLEAD_PRECOMPILE=OFF builds without.
function(fairlead_use_precompiled name)
    if(NOT FAIRLEAD_PRECOMPILE)
        return()
    endif()
    if(NOT TARGET fairlead_precompiled)
        add_library(fairlead_precompiled STATIC ${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp)
        target_link_libraries(fairlead_precompiled PRIVATE fairlead_defaults fairlead_proto fmt::fmt Boost::headers)
        target_precompile_headers(fairlead_precompiled PRIVATE ${PROJECT_SOURCE_DIR}/cmake/precompiled.hpp)
        # ccache wants to see what a precompiled header is made of.
        target_compile_options(fairlead_precompiled PRIVATE -fpch-preprocess)
    endif()
    target_precompile_headers(${name} REUSE_FROM fairlead_precompiled)
    target_compile_options(${name} PRIVATE -fpch-preprocess)
    # Asio's headers leave every object with a wish for Asio's error categories.
    get_target_property(type ${name} TYPE)
    if(type STREQUAL EXECUTABLE)
        target_link_libraries(${name} PRIVATE fairlead_async)
    endif()
    # It is only taken by a file that is compiled with the same definitions.
    target_compile_definitions(${name} PRIVATE $<TARGET_PROPERTY:fmt::fmt,INTERFACE_COMPILE_DEFINITIONS>)
endfunction()
