# Flags that hold for every target. Optimisation is the preset's (CMakePresets.json).

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

# Members left out of a designated initialiser have their defaults; that is what it is used for.
add_compile_options(-Wall -Wextra -Wnon-virtual-dtor -Woverloaded-virtual -Wno-missing-field-initializers)
if(SECUREBASE_WERROR)
  add_compile_options(-Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports members of coroutine frames and moved-from variants as maybe uninitialised (GCC PR 101118, 105562),
  # and assignments of literals to strings as overlapping copies (GCC PR 105651).
  add_compile_options(-Wno-maybe-uninitialized -Wno-restrict)
  # A file that is compiled with others of its room is an included one to GCC, which then warns of coroutine frames that
  # hold what an anonymous namespace has; but no second file includes it.
  if(SECUREBASE_UNITY)
    add_compile_options(-Wno-subobject-linkage)
  endif()
endif()

if(SECUREBASE_SANITIZE)
  add_compile_options(-fsanitize=${SECUREBASE_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SECUREBASE_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # A hundred programs of some hundred megabytes: GNU's linker takes six times as long, and a quarter of each would be
    # what a program needs that does not know its address.
    add_compile_options(-fno-pie)
    add_link_options(-fuse-ld=lld -no-pie)
  endif()
  if(SECUREBASE_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()
