#include "functions/sandbox/filter.h"

#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

namespace securebase::functions {
namespace {

struct Release {
  void operator()(void* context) const { seccomp_release(context); }
};

// Other processes, other namespaces, the kernel itself.
constexpr const char* kRefused[] = {
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd",
    // mounts and namespaces
    "mount", "umount", "umount2", "pivot_root", "chroot", "unshare", "setns", "open_tree", "move_mount", "fsopen",
    "fsconfig", "fsmount", "fspick", "mount_setattr", "name_to_handle_at", "open_by_handle_at", "quotactl",
    "quotactl_fd", "fanotify_init", "lookup_dcookie",
    // the kernel and its surface
    "bpf", "perf_event_open", "userfaultfd", "init_module", "finit_module", "delete_module", "create_module",
    "kexec_load", "kexec_file_load", "add_key", "request_key", "keyctl", "reboot", "swapon", "swapoff", "acct",
    "syslog", "iopl", "ioperm", "modify_ldt", "vm86", "vm86old", "uselib", "nfsservctl", "personality",
    // the machine's clock and name
    "settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "stime", "sethostname", "setdomainname",
    // devices and NUMA placement
    "mknod", "mknodat", "move_pages", "migrate_pages", "mbind", "set_mempolicy", "vhangup"};

// glibc and libuv fall back from these when they do not exist.
constexpr const char* kAbsent[] = {"io_uring_setup", "io_uring_enter", "io_uring_register", "clone3"};

bool refuse(scmp_filter_ctx context, const char* name, int error) {
  const int number = seccomp_syscall_resolve_name(name);
  if (number == __NR_SCMP_ERROR) return true;  // unknown to this library, or absent on this machine
  return seccomp_rule_add(context, SCMP_ACT_ERRNO(static_cast<std::uint32_t>(error)), number, 0) == 0;
}

// New namespaces by clone() flags; threads and plain forks go through.
bool refuse_namespaces(scmp_filter_ctx context) {
  for (const std::uint64_t flag :
       {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWNET, CLONE_NEWCGROUP}) {
    const scmp_arg_cmp has_flag = SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag);
    if (seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, has_flag) != 0) return false;
  }
  return true;
}

// Families: Unix, IPv4, IPv6, and of netlink only routes (getaddrinfo asks those). No raw sockets in any.
bool restrict_sockets(scmp_filter_ctx context) {
  const auto add = [&](int call, std::initializer_list<scmp_arg_cmp> arguments) {
    return seccomp_rule_add_array(context, SCMP_ACT_ERRNO(EAFNOSUPPORT), call, static_cast<unsigned>(arguments.size()),
                                  arguments.begin()) == 0;
  };
  for (int family = 0; family < 46; ++family) {
    if (family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK) continue;
    if (!add(SCMP_SYS(socket), {SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(family))})) return false;
  }
  if (!add(SCMP_SYS(socket), {SCMP_A0(SCMP_CMP_GE, 46)})) return false;
  for (const int family : {AF_INET, AF_INET6}) {
    if (!add(SCMP_SYS(socket),
             {SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(family)), SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_RAW)})) {
      return false;
    }
  }
  return add(SCMP_SYS(socket), {SCMP_A0(SCMP_CMP_EQ, AF_NETLINK), SCMP_A2(SCMP_CMP_NE, NETLINK_ROUTE)});
}

Result<std::vector<sock_filter>> exported(scmp_filter_ctx context) {
  const int file = memfd_create("filter", MFD_CLOEXEC);
  if (file < 0) return system_error(errno, "memfd_create", "the system call filter");
  std::vector<sock_filter> filter;
  bool complete = seccomp_export_bpf(context, file) == 0;
  if (const off_t size = lseek(file, 0, SEEK_END); complete && size > 0) {
    filter.resize(static_cast<std::size_t>(size) / sizeof(sock_filter));
    complete = pread(file, filter.data(), static_cast<std::size_t>(size), 0) == size;
  }
  close(file);
  if (!complete || filter.empty()) return Error{Errc::kIo, "libseccomp could not compile the system call filter"};
  return filter;
}

}  // namespace

Result<std::vector<sock_filter>> compile_filter() {
  const std::unique_ptr<void, Release> context(seccomp_init(SCMP_ACT_ALLOW));
  bool complete = context != nullptr;
  if (complete) {
    // Calls by another architecture's numbers (32-bit, x32) would go around the filter.
    complete = seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0;
    // A balanced tree instead of a list: fewer comparisons a call.
    static_cast<void>(seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2));
  }
  for (const char* name : kRefused) complete = complete && refuse(context.get(), name, EPERM);
  for (const char* name : kAbsent) complete = complete && refuse(context.get(), name, ENOSYS);
  complete = complete && refuse_namespaces(context.get()) && restrict_sockets(context.get());
  // Typing into somebody's terminal.
  const scmp_arg_cmp types_input = SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, TIOCSTI);
  complete = complete && seccomp_rule_add(context.get(), SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1, types_input) == 0;
  if (!complete) return Error{Errc::kIo, "libseccomp refused a rule of the system call filter"};
  return exported(context.get());
}

bool install_filter(const std::vector<sock_filter>& filter) {
  const sock_fprog program{static_cast<unsigned short>(filter.size()), const_cast<sock_filter*>(filter.data())};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace securebase::functions
