// The program `k6`, and `securebase k6`: hands what was typed to securebase-k6, which stands beside this program. It is
// a program of its own because it loads JavaScriptCore.
#pragma once

namespace securebase::cli {

// `argv[0]` is the word that named it; what follows is k6's. Gives an exit code only when it cannot be executed.
int k6_main(int argc, char** argv);

}  // namespace securebase::cli
