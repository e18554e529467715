using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime;

/// <summary>Who a container's payload runs as, looked up in the container's own files.</summary>
/// <param name="AdditionalGids">The primary group first, then those of /etc/group and of <c>--group-add</c>, without repetition.
/// The primary one belongs in it: without, a group that is denied access by mode bits could be dropped by
/// newgrp(1) (CVE-2022-36109).</param>
/// <param name="Home">From /etc/passwd, <c>/</c> where it has no entry.</param>
/// <param name="Name">From /etc/passwd; empty where it has no entry.</param>
public sealed record ContainerUser(uint Uid, uint Gid, IReadOnlyList<uint> AdditionalGids, string Home, string Name);

/// <summary>A user or group that a container does not have or that no kernel has.</summary>
public sealed class UserException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The user words of <c>--user</c>, an image's <c>User</c> and <c>exec --user</c>.</summary>
public static class UserSpec
{
    private const string OutOfRange = "uids and gids must be in range 0-2147483647";

    /// <summary>Resolves <c>[USER|UID][:GROUP|GID]</c>; empty and null mean root.</summary>
    /// <param name="rootfs">The container's root, as an open directory: /etc/passwd and /etc/group are resolved inside it by the
    /// kernel, so that the container's links lead nowhere else.</param>
    /// <param name="groupAdd">Names or numbers of further groups.</param>
    /// <exception cref="UserException">An unknown name, a number out of range, or files that cannot be read.</exception>
    /// <remarks>
    /// A number is a number and never looked up as a name (CVE-2016-3697). Ids above 2^31-1 are refused: they
    /// wrap to 0 where something keeps them in 32 bits (CVE-2024-40635).
    /// </remarks>
    public static ContainerUser Resolve(string? userSpec, SafeFileHandle rootfs, IReadOnlyList<string> groupAdd)
    {
        string spec = userSpec ?? "";
        int colon = spec.IndexOf(':', StringComparison.Ordinal);
        string user = colon < 0 ? spec : spec[..colon];
        string group = colon < 0 ? "" : spec[(colon + 1)..];
        uint? uid = user.Length == 0 ? 0 : Number(user);
        uint? gid = Number(group);

        AccountEntry? account = null;
        string? unusable = AccountFile.Read(rootfs, "etc/passwd", entry =>
        {
            bool matches = uid is uint number ? entry.Uid == number : entry.Name == user;
            account = matches ? entry : null;
            return !matches;
        });

        if (account is null && uid is null)
        {
            throw new UserException($"unable to find user {user}: {unusable ?? "no matching entries in passwd file"}");
        }

        uint resolvedUid = uid ?? account!.Uid
            ?? throw new UserException($"unable to find user {user}: its entry in passwd file has no valid uid ({OutOfRange})");
        uint primary = account is null ? 0 : account.Gid
            ?? throw new UserException($"unable to find user {spec}: its entry in passwd file has no valid gid ({OutOfRange})");

        GroupSearch search = new(group.Length == 0 ? account?.Name : null, gid is null ? group : "", groupAdd);
        if (search.IsNeeded)
        {
            unusable = AccountFile.Read(rootfs, "etc/group", search.Visit);
            search.ThrowIfMissing(unusable);
        }

        if (group.Length > 0)
        {
            primary = gid ?? search.Explicit!.Value;
        }

        List<uint> groups = [primary];
        foreach (uint further in search.Memberships.Concat(search.Added))
        {
            if (!groups.Contains(further))
            {
                groups.Add(further);
            }
        }

        string home = account is { Home.Length: > 0 } ? account.Home : "/";
        return new ContainerUser(resolvedUid, primary, groups, home, account?.Name ?? "");
    }

    /// <summary>For <see cref="ContainerRequest.ResolveUser"/> and <see cref="ExecRequest.ResolveUser"/>: resolves when the
    /// root is open, and adds HOME to <paramref name="environment"/> where it has none.</summary>
    /// <exception cref="ContainerException">When called: no such user or group; an engine fault, as docker has it.</exception>
    public static Func<SafeFileHandle, ResolvedUser> Resolver(string? userSpec, IReadOnlyList<string> groupAdd, IList<string> environment) => rootfs =>
    {
        ContainerUser user;
        try
        {
            user = Resolve(userSpec, rootfs, groupAdd);
        }
        catch (UserException error)
        {
            throw new ContainerException(ContainerFault.Engine, error.Message, error);
        }

        if (!environment.Any(variable => variable.StartsWith("HOME=", StringComparison.Ordinal)))
        {
            environment.Add("HOME=" + user.Home);
        }

        return new ResolvedUser(user.Uid, user.Gid, user.AdditionalGids);
    };

    /// <summary>The id that a word stands for, null for a name.</summary>
    /// <remarks>Decimal digits with an optional sign, as docker reads them: <c>0x0</c> and <c> 0</c> are names, and nobody has them.</remarks>
    /// <exception cref="UserException">A number out of range.</exception>
    internal static uint? Number(string word)
    {
        bool isSigned = word.Length > 0 && (word[0] is '+' or '-');
        ReadOnlySpan<char> digits = isSigned ? word.AsSpan(1) : word;
        if (digits.IsEmpty || digits.ContainsAnyExceptInRange('0', '9'))
        {
            return null;
        }

        bool fits = uint.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) && number <= int.MaxValue;
        return fits && (word[0] != '-' || number == 0) ? number : throw new UserException($"{word}: {OutOfRange}");
    }
}
