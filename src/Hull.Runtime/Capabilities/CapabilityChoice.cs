using Hull.Linux;

namespace Hull.Runtime;

/// <summary>The arithmetic of <c>--cap-add</c>, <c>--cap-drop</c> and <c>--privileged</c>, as docker has it.</summary>
public static class CapabilityChoice
{
    /// <summary>The fourteen that a container has where nothing is said.</summary>
    public static readonly CapabilitySet Defaults = CapabilitySet.Of(
    [
        "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP",
        "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE",
    ]);

    /// <summary>The bounding, permitted and effective set of a container's root.</summary>
    /// <param name="add">Names with or without <c>CAP_</c>, in any case; <c>ALL</c> for everything that the host has.</param>
    /// <param name="drop">The same; <c>ALL</c> leaves only what is added by name.</param>
    /// <param name="host">What this host has to give: <see cref="CapabilitySet.HostBounding"/>.</param>
    /// <exception cref="ArgumentException">A name that no capability has, or an added one that this host does not have.</exception>
    public static CapabilitySet Resolve(IReadOnlyList<string> add, IReadOnlyList<string> drop, bool privileged, CapabilitySet host)
    {
        (bool addAll, CapabilitySet added) = Parse("--cap-add", add);
        (bool dropAll, CapabilitySet dropped) = Parse("--cap-drop", drop);
        if (privileged)
        {
            return host;
        }

        CapabilitySet missing = added - host;
        if (missing.Bits != 0)
        {
            throw new ArgumentException(
                $"--cap-add {missing.Names()[0]}: this host does not have that capability to give (its bounding set is {host})",
                nameof(add));
        }

        // Docker's precedence: --cap-add ALL beats --cap-drop ALL; a name added beats the same name dropped.
        return addAll ? host - dropped
            : dropAll ? added
            : ((Defaults & host) - dropped) | added;
    }

    private static (bool All, CapabilitySet Named) Parse(string option, IReadOnlyList<string> names)
    {
        bool all = false;
        CapabilitySet set = default;
        foreach (string raw in names)
        {
            string name = raw.Trim();
            if (name.Equals("ALL", StringComparison.OrdinalIgnoreCase) || name.Equals("CAP_ALL", StringComparison.OrdinalIgnoreCase))
            {
                all = true;
            }
            else if (CapabilitySet.TryNumber(name, out int number))
            {
                set |= new CapabilitySet(1UL << number);
            }
            else
            {
                throw new ArgumentException(
                    $"{option} {raw}: unknown capability (did you mean {NearestNames.First(name.ToUpperInvariant(), Candidates(name))}?)",
                    nameof(names));
            }
        }

        return (all, set);
    }

    private static IEnumerable<string> Candidates(string name)
    {
        bool prefixed = name.StartsWith("CAP_", StringComparison.OrdinalIgnoreCase);
        yield return prefixed ? "CAP_ALL" : "ALL";
        foreach (string known in CapabilitySet.AllNamed.Names())
        {
            yield return prefixed ? known : known["CAP_".Length..];
        }
    }
}
