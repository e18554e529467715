using Hull.Linux;

namespace Hull.Runtime.Init;

/// <summary>The keys of who starts a container (a login session's tickets, disk and network file system keys) stay out of it: its
/// processes get a session keyring of their own.</summary>
/// <remarks>keyrings(7), session-keyring(7). Named after the container, as runc's, so that a further process finds it again.
/// The kernel looks for the name among the keyrings of the caller's user namespace: join that one first.</remarks>
internal static class SessionKeyring
{
    private const int JoinSession = 1; // KEYCTL_JOIN_SESSION_KEYRING
    private const int SetPermissions = 5; // KEYCTL_SETPERM

    /// <summary>What the kernel gives a new keyring: everything to who possesses it; to its owner view, read and link
    /// (join_session_keyring in security/keys/process_keys.c).</summary>
    private const uint Usual = 0x3f13_0000;

    /// <summary>KEY_USR_SEARCH and KEY_OTH_SEARCH of linux/key.h: without it nobody finds the keyring by its name.</summary>
    private const uint OwnerMaySearch = 0x0008_0000;
    private const uint OthersMaySearch = 0x0000_0008;

    /// <summary>ENOSYS: a kernel without CONFIG_KEYS. EPERM, EACCES: an outer container's seccomp filter or LSM keeps all of keyctl(2)
    /// away, and so from the payload. EINVAL: the second call, given the errno of the first in place of a key.</summary>
    private static readonly Errno[] WithoutKeys = [Errno.ENOSYS, Errno.EPERM, Errno.EACCES, Errno.EINVAL];

    /// <param name="container">Its id; null: a keyring that nobody finds.</param>
    /// <param name="create">The container's first process: others may find the keyring.</param>
    /// <param name="userNamespace">The owner in a user namespace of its own is another than who will look.</param>
    public static void AddJoin(InitPlan plan, string? container, bool create, bool userNamespace)
    {
        string? name = container is null ? null : $"_ses.{container}";
        Slot keyring = plan.CallInto("keyctl", SystemCallNumbers.keyctl, name ?? "session keyring", "the caller's keys are not the container's",
            [PlanArgument.Named(JoinSession, "JOIN_SESSION_KEYRING"), name is null ? 0 : name], WithoutKeys.AsSpan(0, 3),
            hint: "EDQUOT: /proc/sys/kernel/keys/maxkeys is reached for this user");
        if (create && name is not null)
        {
            uint permissions = Usual | (userNamespace ? OthersMaySearch : OwnerMaySearch);
            plan.Call("keyctl", SystemCallNumbers.keyctl, name, "a further process of the container finds it by its name",
                [PlanArgument.Named(SetPermissions, "SETPERM"), keyring, PlanArgument.Named((nint)permissions, $"0x{permissions:x8}")], WithoutKeys);
        }
    }
}
