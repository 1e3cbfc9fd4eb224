# holdfast_library(NAME base SOURCES a.cc … DEPENDS core …)
#   defines hf_NAME as a static library of src/NAME.
# holdfast_test(NAME core SOURCES a_test.cc … DEPENDS core …)
#   defines the GoogleTest program hf_NAME_tests and registers each of its tests with ctest.
include(GoogleTest)

function(holdfast_library)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;DEPENDS" ${ARGN})
  add_library(hf_${ARG_NAME} STATIC ${ARG_SOURCES})
  target_link_libraries(hf_${ARG_NAME} PUBLIC holdfast_flags)
  foreach(dep IN LISTS ARG_DEPENDS)
    target_link_libraries(hf_${ARG_NAME} PUBLIC ${dep})
  endforeach()
endfunction()

function(holdfast_test)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;DEPENDS" ${ARGN})
  add_executable(hf_${ARG_NAME}_tests ${ARG_SOURCES})
  target_link_libraries(hf_${ARG_NAME}_tests PRIVATE ${ARG_DEPENDS} GTest::gmock GTest::gtest_main)
  gtest_discover_tests(hf_${ARG_NAME}_tests DISCOVERY_MODE PRE_TEST)
endfunction()
