# The simulated SQS and the proof that no network fault does lasting harm.

if(NOT TARGET broker)
    file(GLOB broker_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/simulation/broker*.c)
    add_library(broker STATIC ${broker_sources})
    target_include_directories(broker PUBLIC ${CMAKE_SOURCE_DIR}/tests/simulation)
    target_link_libraries(broker PRIVATE bookflow_flags queue base)
endif()

bookflow_test(broker SOURCES ../queue_contract.c ../queue_contract_waiting.c ../queue_probe.c
    USES broker queue sqlite base)
target_include_directories(test_broker PRIVATE ${CMAKE_SOURCE_DIR}/tests)

add_executable(fault_network
    network.c network_scene.c network_side.c network_judge.c network_plants.c)
target_include_directories(fault_network PRIVATE ${CMAKE_SOURCE_DIR}/tests/prove)
target_link_libraries(fault_network PRIVATE bookflow_flags
    broker intake decision courier queue api store sqlite domain http base PkgConfig::JANSSON)
