#include "functions/sandbox/jail.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "functions/sandbox/scopes.h"

namespace securebase::functions {
namespace {

using std::filesystem::path;

[[noreturn]] void give_verdict(int verdict, std::string_view text) {
  static_cast<void>(!write(verdict, text.data(), text.size()));
  _exit(0);
}

Result<Done> write_file(const path& file, std::string_view text) {
  const int descriptor = open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return system_error(errno, "open", file.native());
  const ssize_t written = write(descriptor, text.data(), text.size());
  const int number = errno;
  close(descriptor);
  if (written != static_cast<ssize_t>(text.size())) return system_error(number, "write", file.native());
  return Done{};
}

enum class Writable { kNo, kYes };

// `source` with all that is mounted below it appears at `target`, which exists.
Result<Done> bind_mount(const path& source, const path& target, Writable writable = Writable::kNo,
                        std::uint64_t keep = 0) {
  const int tree = open_tree(AT_FDCWD, source.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
  if (tree < 0) return system_error(errno, "open_tree", source.native());
  mount_attr attributes{};
  attributes.attr_set = (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV) & ~keep;
  if (writable == Writable::kNo) attributes.attr_set |= MOUNT_ATTR_RDONLY;
  attributes.propagation = MS_PRIVATE;
  int failed = mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes);
  if (failed == 0) failed = move_mount(tree, "", AT_FDCWD, target.c_str(), MOVE_MOUNT_F_EMPTY_PATH);
  const int number = errno;
  close(tree);
  if (failed != 0) return system_error(number, "mounting in the sandbox", source.native());
  return Done{};
}

Result<Done> mount_tmpfs(const path& target, unsigned long flags, const std::string& options) {
  if (mount("tmpfs", target.c_str(), "tmpfs", flags, options.c_str()) != 0) {
    return system_error(errno, "mount tmpfs", target.native());
  }
  return Done{};
}

Result<Done> make_devices(const path& root) {
  struct Device {
    const char* name;
    unsigned minor;
  };
  for (const auto& device : {Device{"null", 3}, Device{"zero", 5}, Device{"random", 8}, Device{"urandom", 9}}) {
    const path node = root / "dev" / device.name;
    if (mknod(node.c_str(), S_IFCHR | 0666, makedev(1, device.minor)) == 0) {
      chmod(node.c_str(), 0666);
      continue;
    }
    // Without root, or where a container forbids devices: the host's own.
    if (auto made = write_file(node, ""); !made) return made;
    const path host = path("/dev") / device.name;
    if (auto bound = bind_mount(host, node, Writable::kYes, MOUNT_ATTR_NODEV); !bound) return bound;
  }
  for (const auto& [name, target] : {std::pair("fd", "/proc/self/fd"), std::pair("stdin", "/proc/self/fd/0"),
                                     std::pair("stdout", "/proc/self/fd/1"), std::pair("stderr", "/proc/self/fd/2")}) {
    static_cast<void>(!symlink(target, (root / "dev" / name).c_str()));
  }
  return Done{};
}

// /bin, /lib and so on are links into /usr on a merged system, directories of their own on others.
Result<Done> add_system(const path& root) {
  mkdir((root / "usr").c_str(), 0755);
  if (auto bound = bind_mount("/usr", root / "usr"); !bound) return bound;
  for (const char* name : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
    const path host = path("/") / name;
    struct stat found {};
    if (lstat(host.c_str(), &found) != 0) continue;
    if (S_ISLNK(found.st_mode)) {
      char target[256] = {};
      if (readlink(host.c_str(), target, sizeof target - 1) < 0) return system_error(errno, "readlink", host.native());
      if (symlink(target, (root / name).c_str()) != 0) return system_error(errno, "symlink", name);
      continue;
    }
    mkdir((root / name).c_str(), 0755);
    if (auto bound = bind_mount(host, root / name); !bound) return bound;
  }
  return Done{};
}

Result<Done> build_root(const StartRequest& request, const JailSettings& settings, std::uint32_t uid) {
  const path& root = settings.mount_point;
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    if (errno != EINVAL) return system_error(errno, "mount", "/");
    return Error{Errc::kUnsupported,
                 "the platform's root directory is no mount point, as in a plain chroot, and no instance can be given "
                 "one of its own there; bind-mount that directory onto itself before entering it"};
  }
  if (auto made = mount_tmpfs(root, MS_NOSUID, "mode=755,size=1m,nr_inodes=256"); !made) return made;
  umask(0);
  for (const char* name :
       {"etc", "dev", "proc", "tmp", "opt", "var", "var/task", "var/runtime", "run", "run/sandbox"}) {
    if (mkdir((root / name).c_str(), 0755) != 0) return system_error(errno, "mkdir", name);
  }
  if (auto added = add_system(root); !added) return added;
  if (auto bound = bind_mount(settings.etc, root / "etc"); !bound) return bound;
  // /etc/passwd and /etc/group are links to these: each instance knows its own user.
  const auto passwd =
      fmt::format("root:x:0:0:root:/:/usr/sbin/nologin\nsbx_user1051:x:{0}:{0}::/tmp:/usr/sbin/nologin\n", uid);
  if (auto made = write_file(root / "run/sandbox/passwd", passwd); !made) return made;
  if (auto made = write_file(root / "run/sandbox/group", fmt::format("root:x:0:\nsbx:x:{}:\n", uid)); !made)
    return made;
  if (auto made = make_devices(root); !made) return made;

  const auto task_access = request.writable_task ? Writable::kYes : Writable::kNo;
  if (auto bound = bind_mount(request.task, root / "var/task", task_access); !bound) return bound;
  if (!request.layers.empty()) {
    if (auto bound = bind_mount(request.layers, root / "opt"); !bound) return bound;
  }
  if (!request.runtime.empty()) {
    if (auto bound = bind_mount(request.runtime, root / "var/runtime"); !bound) return bound;
  }
  const auto tmp = fmt::format("mode=700,uid={0},gid={0},size={1}m,nr_inodes=65536", uid, request.ephemeral_mb);
  if (auto made = mount_tmpfs(root / "tmp", MS_NOSUID | MS_NODEV, tmp); !made) return made;
  const char* hidden = settings.own_users ? "hidepid=2" : nullptr;
  if (mount("proc", (root / "proc").c_str(), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, hidden) != 0) {
    return system_error(errno, "mount proc", "/proc of the sandbox");
  }
  if (chdir(root.c_str()) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0 ||
      chdir("/") != 0) {
    return system_error(errno, "pivot_root", root.native());
  }
  mount_attr read_only{};
  read_only.attr_set = MOUNT_ATTR_RDONLY;
  if (mount_setattr(AT_FDCWD, "/", 0, &read_only, sizeof read_only) != 0) {
    return system_error(errno, "mount_setattr", "the sandbox's root");
  }
  static_cast<void>(sethostname("lambda", 6));
  return Done{};
}

// In a user namespace of one user: what is inside `kInnerUser` is whoever started the platform outside.
Result<Done> map_user(uid_t outer_user, gid_t outer_group) {
  // The warden is not dumpable, which would make our /proc/self root's.
  prctl(PR_SET_DUMPABLE, 1);
  if (auto denied = write_file("/proc/self/setgroups", "deny"); !denied) return denied;
  auto users = write_file("/proc/self/uid_map", fmt::format("{} {} 1", kInnerUser, outer_user));
  if (!users) return users;
  return write_file("/proc/self/gid_map", fmt::format("{} {} 1", kInnerUser, outer_group));
}

void set_limit(decltype(RLIMIT_NOFILE) which, rlim_t value) {
  const rlimit limit{value, value};
  setrlimit(which, &limit);
}

void drop_capabilities() {
  for (int capability = 0; prctl(PR_CAPBSET_DROP, capability) == 0; ++capability) {
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  syscall(SYS_capset, &header, none);
}

// What else the warden has open, its socket and its other children among it, is not for this process.
void close_all_but(std::array<int, 3> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned from = 3;
  for (const int each : kept) {
    const auto descriptor = static_cast<unsigned>(each);
    if (descriptor > from) close_range(from, descriptor - 1, 0);
    from = std::max(from, descriptor + 1);
  }
  close_range(from, ~0U, 0);
}

// From here on nothing is allocated by design of the order: privileges go last to first, and exec follows.
[[noreturn]] void become_program(const StartRequest& request, const JailSettings& settings, const Cgroups& cgroups,
                                 const std::vector<sock_filter>& filter, int output, int verdict) {
  std::vector<char*> argv, environment;
  for (const auto& argument : request.argv) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  for (const auto& variable : request.environment) environment.push_back(const_cast<char*>(variable.c_str()));
  environment.push_back(nullptr);
  const auto fail = [&](std::string_view what) {
    give_verdict(verdict, fmt::format("fail {}", system_error(errno, what, request.argv[0]).message));
  };

  setsid();
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, 0);
  dup2(output, 1);
  dup2(output, 2);
  // 0 to 2, and the verdict, which exec closes.
  if (verdict != 3) {
    dup2(verdict, 3);
    verdict = 3;
  }
  fcntl(verdict, F_SETFD, FD_CLOEXEC);
  close_range(4, ~0U, 0);

  set_limit(RLIMIT_NOFILE, 1024);  // Lambda's quota
  set_limit(RLIMIT_CORE, 0);
  set_limit(RLIMIT_NPROC, 1024);
  set_limit(RLIMIT_MEMLOCK, 64 << 10);
  set_limit(RLIMIT_MSGQUEUE, 0);
  // Without a memory group, the program's own writable memory is what can be limited; the warden watches the rest.
  if (!cgroups.has_memory()) set_limit(RLIMIT_DATA, (request.memory_mb + 64) << 20);

  if (settings.own_users) {
    if (setgroups(0, nullptr) != 0 || setresgid(request.uid, request.uid, request.uid) != 0) fail("setresgid");
  }
  if (settings.own_users || settings.user_namespace) {
    // While still privileged: the bounding set.
    for (int capability = 0; prctl(PR_CAPBSET_DROP, capability) == 0; ++capability) {
    }
  }
  if (settings.own_users && setresuid(request.uid, request.uid, request.uid) != 0) fail("setresuid");
  drop_capabilities();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  umask(022);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("no_new_privs");
  if (settings.scopes && !enter_scopes()) fail("landlock");
  const path task = settings.namespaces ? path("/var/task") : path(request.task);
  if (chdir(task.c_str()) != 0) fail("chdir");
  if (!install_filter(filter)) fail("seccomp");
  execve(argv[0], argv.data(), environment.data());
  fail("exec");
  _exit(127);
}

}  // namespace

void run_instance(const StartRequest& request, const JailSettings& settings, const Cgroups& cgroups,
                  const std::vector<sock_filter>& filter, int output, int verdict, int warden) {
  const auto fail = [&](const Error& error) { give_verdict(verdict, "fail " + error.message); };
  close_all_but({output, verdict, warden});
  const uid_t outer_user = geteuid();
  const gid_t outer_group = getegid();
  if (auto joined = cgroups.join(request.id); !joined) fail(joined.error());
  if (settings.user_namespace) {
    if (auto mapped = map_user(outer_user, outer_group); !mapped) fail(mapped.error());
  }
  if (settings.namespaces) {
    const auto uid = settings.own_users ? request.uid : kInnerUser;
    if (auto built = build_root(request, settings, uid); !built) fail(built.error());
  }
  const pid_t program = fork();
  if (program < 0) fail(system_error(errno, "fork", request.argv[0]));
  if (program == 0) become_program(request, settings, cgroups, filter, output, verdict);

  // Process 1: nothing left but reaping. It keeps no privilege that an instance could make use of.
  close(output);
  drop_capabilities();
  prctl(PR_SET_DUMPABLE, 0);
  // Set last, since a change of credentials clears it; if the warden died before, nobody would tell us.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  pollfd alive{warden, POLLIN, 0};
  if (poll(&alive, 1, 0) > 0) _exit(1);
  for (;;) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, 0);
    if (ended == program) give_verdict(verdict, fmt::format("exit {}", status));
    if (ended < 0 && errno == ECHILD) give_verdict(verdict, "exit 0");
  }
}

}  // namespace securebase::functions
