# securebase_room(NAME
#   USES  room...      the rooms whose doors it may include (lower ones, or sideways by door)
#   DOORS header...    what others may include; by default NAME.h alone
#   LIBS  target...    libraries of the system, private to the room
#   EXCEPT folder...   folders below that are rooms of their own, with a CMakeLists.txt of their own
# )
#
# Declares the room in the current folder as the static library NAME. What is in the folder decides the rest:
#   *_test.cc   go into one test program, NAME_test, run by ctest
#   *_bench.cc  go into one benchmark program, NAME_bench
#   *_fuzz.cc   are a libFuzzer target each (preset asan), with the corpus in fuzz/corpus/<file name>
#   other *.cc  are the library
# A preset builds of these what SECUREBASE_ALL names: release does not build the tests, which CI runs under sanitizers.
# What is left out is built when it is named: `tools/build release edge_test`, or `tests` for all.
#
# Presets with SECUREBASE_UNITY compile the files of a room together, in bunches, since most of the time goes into headers:
# that takes half of the time of a whole build, so it is for the builds from nothing (release, asan, tsan); dev compiles
# each file by itself. Therefore a name stands for one thing in the whole room, anonymous namespaces included; "redefinition
# of ... {anonymous}" means that two files of a room have given the same name to two things.
#
# The walls: a room is compiled with an include path that holds its own files and the doors of the rooms it
# USES, as symbolic links in the build tree, and nothing else. So an include of another room's inside, or of a
# room that was not declared, does not compile; and since a room can only use rooms that were declared before
# it (src/CMakeLists.txt lists them from the bottom up), no arrow points up.

function(securebase_unity target)
  # Ten files are few enough for both cores to have work and for one changed file to be back in seconds.
  if(SECUREBASE_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 10)
  endif()
endfunction()

# A program that tests need is built with them; a benchmark, with the benchmarks.
function(securebase_test_program target)
  securebase_only_with(tests ${target})
  add_dependencies(tests ${target})
endfunction()

function(securebase_only_with kind target)
  if(NOT kind IN_LIST SECUREBASE_ALL)
    set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
endfunction()

function(securebase_room name)
  cmake_parse_arguments(ROOM "" "" "USES;DOORS;LIBS;EXCEPT" ${ARGN})
  if(NOT ROOM_DOORS)
    set(ROOM_DOORS ${name}.h)
  endif()
  set(here ${CMAKE_CURRENT_SOURCE_DIR})

  foreach(used ${ROOM_USES})
    if(NOT TARGET ${used})
      message(FATAL_ERROR "room ${name} uses ${used}, which stands above it or does not exist: "
                          "arrows point down (src/CMakeLists.txt lists the rooms from the bottom up)")
    endif()
  endforeach()

  # Two small include trees: the room as it sees itself, and the room as others see it.
  set(inside ${CMAKE_BINARY_DIR}/rooms/${name}/inside)
  set(doors ${CMAKE_BINARY_DIR}/rooms/${name}/doors)
  file(REMOVE_RECURSE ${doors})
  file(MAKE_DIRECTORY ${inside} ${doors}/${name})
  file(CREATE_LINK ${here} ${inside}/${name} SYMBOLIC)
  foreach(door ${ROOM_DOORS})
    get_filename_component(folder ${doors}/${name}/${door} DIRECTORY)
    file(MAKE_DIRECTORY ${folder})
    file(CREATE_LINK ${here}/${door} ${doors}/${name}/${door} SYMBOLIC)
  endforeach()

  file(GLOB_RECURSE sources CONFIGURE_DEPENDS RELATIVE ${here} *.cc)
  foreach(folder ${ROOM_EXCEPT})
    list(FILTER sources EXCLUDE REGEX "^${folder}/")
  endforeach()
  set(tests ${sources})
  set(benches ${sources})
  set(fuzzers ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_(test|bench|fuzz)\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(^|/)main\\.cc$")

  if(sources)
    add_library(${name} STATIC ${sources})
  else()
    add_library(${name} STATIC ${CMAKE_SOURCE_DIR}/cmake/empty.cc)
  endif()
  target_include_directories(${name} PRIVATE ${inside} INTERFACE ${doors})
  target_link_libraries(${name} PRIVATE ${ROOM_USES} ${ROOM_LIBS} fmt::fmt)

  securebase_unity(${name})
  if("fuzzers" IN_LIST SECUREBASE_ALL)
    # The rooms count what a fuzzer's input reached; tests, which nobody fuzzes, do not.
    target_compile_options(${name} PRIVATE ${SECUREBASE_COVERAGE})
  endif()

  if(tests)
    add_executable(${name}_test ${tests})
    target_include_directories(${name}_test PRIVATE ${inside})
    target_link_libraries(${name}_test PRIVATE ${name} ${ROOM_USES} ${ROOM_LIBS} fmt::fmt GTest::gmock GTest::gtest_main)
    securebase_unity(${name}_test)
    securebase_test_program(${name}_test)
    add_test(NAME ${name} COMMAND ${name}_test WORKING_DIRECTORY ${here})
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
  endif()
  if(benches)
    add_executable(${name}_bench ${benches})
    target_include_directories(${name}_bench PRIVATE ${inside})
    target_link_libraries(${name}_bench PRIVATE ${name} ${ROOM_USES} ${ROOM_LIBS} fmt::fmt benchmark::benchmark_main)
    securebase_only_with(benches ${name}_bench)
  endif()
  if("fuzzers" IN_LIST SECUREBASE_ALL)
    foreach(fuzzer ${fuzzers})
      get_filename_component(target ${fuzzer} NAME_WE)
      add_executable(${target} ${fuzzer})
      target_include_directories(${target} PRIVATE ${inside})
      target_compile_options(${target} PRIVATE -fsanitize=fuzzer)
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
      target_link_libraries(${target} PRIVATE ${name} ${ROOM_USES} ${ROOM_LIBS} fmt::fmt)
    endforeach()
  endif()
endfunction()
