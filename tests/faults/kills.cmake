# Real processes: kill -9 under load, faults at every call that changes the disk, recovery, soak.
add_library(fault_load_parts STATIC load_http.c load_process.c load_promises.c)
target_include_directories(fault_load_parts PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(fault_load_parts PUBLIC bookflow_flags store sqlite domain base)

function(fault_program name)
    add_executable(${name} ${ARGN})
    target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/../prove)
    target_link_libraries(${name} PRIVATE fault_load_parts PkgConfig::JANSSON)
endfunction()
fault_program(fault_load load.c load_client.c)
fault_program(fault_check kills_check.c)
fault_program(fault_kills kills.c kills_converge.c)
target_link_libraries(fault_kills PRIVATE PkgConfig::SQLITE)

# Goes into the program from outside, so it is compiled by itself: no sanitizer, no fortified opens.
add_library(fault_shim MODULE kills_shim.c)
target_compile_definitions(fault_shim PRIVATE _GNU_SOURCE)
target_compile_options(fault_shim PRIVATE -Wall -Wextra -Wshadow -Werror -U_FORTIFY_SOURCE)
fault_program(fault_point kills_point.c kills_point_client.c kills_converge.c)
target_link_libraries(fault_point PRIVATE PkgConfig::SQLITE)
fault_program(fault_recovery kills_recovery.c)
target_link_libraries(fault_recovery PRIVATE intake courier api queue http PkgConfig::SQLITE)
