# What is installed where, and by which package: one list, so that a packager of any distribution reads one page.
# A component is named like the package that carries it; debian/rules installs component by component.

# What a package build has to compile: the installed programs and what they are made of, nothing else.
add_custom_target(fairlead_packaged)

# fairlead_install_program(TARGET DIRECTORY COMPONENT): nothing happens for a program that this build does not have.
function(fairlead_install_program target directory component)
    if(TARGET ${target})
        install(TARGETS ${target} RUNTIME DESTINATION ${directory} COMPONENT ${component})
        add_dependencies(fairlead_packaged ${target})
    endif()
endfunction()

fairlead_install_program(fairlead-masterd ${CMAKE_INSTALL_SBINDIR} fairlead-master)
fairlead_install_program(fairlead-nodeagentd ${CMAKE_INSTALL_SBINDIR} fairlead-agent)
fairlead_install_program(fairlead-supervisor ${CMAKE_INSTALL_LIBEXECDIR}/fairlead fairlead-agent)
fairlead_install_program(fairlead-fetcher ${CMAKE_INSTALL_LIBEXECDIR}/fairlead fairlead-agent)
fairlead_install_program(fairctl ${CMAKE_INSTALL_BINDIR} fairlead-cli)
fairlead_install_program(fairlead-replay ${CMAKE_INSTALL_LIBEXECDIR}/fairlead/frameworks fairlead-frameworks)
fairlead_install_program(fairlead-maptask ${CMAKE_INSTALL_LIBEXECDIR}/fairlead/frameworks fairlead-frameworks)

# Man pages go with the program that they are about.
function(fairlead_install_manuals component)
    foreach(page ${ARGN})
        string(REGEX MATCH "[1-8]$" section ${page})
        if(EXISTS ${PROJECT_SOURCE_DIR}/docs/man/${page})
            install(FILES ${PROJECT_SOURCE_DIR}/docs/man/${page}
                DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT ${component})
        endif()
    endforeach()
endfunction()

fairlead_install_manuals(fairlead-master fairlead-masterd.8 masterd.conf.5)
fairlead_install_manuals(fairlead-agent fairlead-nodeagentd.8 nodeagentd.conf.5 fairlead-supervisor.8)
fairlead_install_manuals(fairlead-cli fairctl.1)
fairlead_install_manuals(fairlead-frameworks fairlead-replay.1)

# The trace that ships with the frameworks, with its licence; explanations of journal entries for `journalctl -x`.
file(GLOB_RECURSE fairlead_trace_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/frameworks/swim/*
    ${PROJECT_SOURCE_DIR}/frameworks/data/swim/* ${PROJECT_SOURCE_DIR}/frameworks/replay/swim/*)
install(FILES ${fairlead_trace_files} DESTINATION ${CMAKE_INSTALL_DATADIR}/fairlead/swim COMPONENT fairlead-frameworks)
# Both daemons write such entries, and a host may have only one of their packages: each brings the text.
if(EXISTS ${PROJECT_SOURCE_DIR}/common/log/fairlead.catalog)
    foreach(component fairlead-master fairlead-agent)
        install(FILES ${PROJECT_SOURCE_DIR}/common/log/fairlead.catalog RENAME ${component}.catalog
            DESTINATION lib/systemd/catalog COMPONENT ${component})
    endforeach()
endif()
