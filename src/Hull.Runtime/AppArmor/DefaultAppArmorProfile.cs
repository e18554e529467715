using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime;

/// <summary>The AppArmor profile that confines a container where none is named.</summary>
/// <remarks>
/// The kernel takes only compiled policy, whose form depends on the kernel's features, and the compiler is apparmor_parser(8);
/// hosts with AppArmor on have it, for their own profiles. Writes to /proc and /sys that the mounts refuse already are
/// refused here once more, for a container whose mounts are not as they should be.
/// </remarks>
public static class DefaultAppArmorProfile
{
    public const string Name = "hull-default";

    /// <summary>Needs no file of the host's policy, so that it compiles wherever the compiler is.</summary>
    internal const string Text =
        """
        @{PROC} = /proc/
        profile hull-default flags=(attach_disconnected, mediate_deleted) {
          capability,
          dbus,
          file,
          network,
          umount,
          unix,
          # Whoever gets CAP_SYS_ADMIN still mounts nothing.
          deny mount,
          # Signals from the host and among the container's own; tracing among its own alone.
          signal (receive) peer=unconfined,
          signal (send, receive) peer=hull-default,
          ptrace (trace, read, tracedby, readby) peer=hull-default,
          # In /proc, a process writes to its own files and to the sysctls of its namespaces.
          deny @{PROC}/* w,
          deny @{PROC}/{acpi,bus,driver,fs,irq,scsi,tty}/** w,
          deny @{PROC}/sys/{abi,crypto,debug,dev,fs,sunrpc,user,vm,xen}/** w,
          deny @{PROC}/sys/kernel/{[^ms],m[^s],s[^he]}** w,
          deny @{PROC}/{kcore,kmem,mem,sysrq-trigger} rwklx,
          deny /sys/{[^f],f[^s],fs/[^c],fs/c[^g]}** wklx,
          deny /sys/{firmware,kernel/security}/** rwklx,
        }

        """;

    private static readonly string[] Compilers = ["/usr/sbin/apparmor_parser", "/sbin/apparmor_parser", "/usr/bin/apparmor_parser"];

    /// <summary>Compiles the profile and loads it into the kernel.</summary>
    /// <returns>False where this host has no apparmor_parser, or it refused.</returns>
    /// <remarks>The caller is a process without other children to reap, or one that reaps by pidfd.</remarks>
    public static bool TryLoad() => Array.Find(Compilers, File.Exists) is string compiler && Compile(compiler, ["-K", "-r"]);

    /// <param name="flags">-K: no cache on disk; -r: load or replace; -Q: do not load.</param>
    internal static bool Compile(string compiler, IReadOnlyList<string> flags)
    {
        using SafeFileHandle nothing = Files.Open("/dev/null", OpenFlags.ReadWrite);
        (SafeFileHandle read, SafeFileHandle write) = Descriptors.Pipe();
        using (read)
        {
            using (write)
            {
                // The text is far smaller than a pipe holds (64 KiB): it can all be written before anyone reads.
                Files.Write(write, System.Text.Encoding.ASCII.GetBytes(Text), "apparmor_parser");
            }

            int pid = ProcessSpawn.Start(new SpawnRequest
            {
                Program = compiler,
                Arguments = ["apparmor_parser", .. flags],
                Environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
                Descriptors = [new(read, 0), new(nothing, 1), new(nothing, 2)],
            });
            // A child of ours that nobody has reaped: it is there to be opened, running or not.
            using SafeFileHandle child = PidFd.TryOpen(pid) ?? throw new SyscallException("pidfd_open", "apparmor_parser", Errno.ESRCH);
            return PidFd.Reap(child, wait: true) is { ShellCode: 0 };
        }
    }
}
