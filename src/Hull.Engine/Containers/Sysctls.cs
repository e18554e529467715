using Hull.Oci;

namespace Hull.Engine.Containers;

/// <summary>--sysctl: only what the kernel keeps per namespace, and only where that namespace is the container's own. Anything
/// else would change the host (CVE-2022-0811, GHSA-w2j5-3rcx-vx7x).</summary>
internal static class Sysctls
{
    private static readonly string[] OfIpc =
    [
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
    ];

    /// <exception cref="EngineException">Invalid, naming the key.</exception>
    public static void Validate(IReadOnlyDictionary<string, string> sysctls, bool hostNetwork, bool hostIpc, bool hostUts)
    {
        foreach ((string key, string value) in sysctls)
        {
            if (!IsKey(key))
            {
                throw EngineException.Invalid($"sysctl '{FlagText.Printable(key)}' is not whitelisted: not a name of /proc/sys");
            }

            // One write(2) a key; a line end in a value would be a second value to some handlers.
            if (FlagText.HasControl(value))
            {
                throw EngineException.Invalid($"sysctl '{key}': the value holds control characters");
            }

            if (Array.IndexOf(OfIpc, key) >= 0 || key.StartsWith("fs.mqueue.", StringComparison.Ordinal))
            {
                Refuse(hostIpc, key, "IPC");
            }
            else if (key.StartsWith("net.", StringComparison.Ordinal))
            {
                Refuse(hostNetwork, key, "network");
            }
            else if (key == "kernel.domainname")
            {
                Refuse(hostUts, key, "UTS");
            }
            else
            {
                throw EngineException.Invalid($"sysctl '{key}' is not whitelisted: it is not separate for each container, setting it would change the host");
            }
        }
    }

    private static void Refuse(bool shared, string key, string name)
    {
        if (shared)
        {
            throw EngineException.Invalid($"sysctl '{key}' not allowed in host {name} namespace");
        }
    }

    /// <summary>Dotted words; a slash stands for a dot inside an interface's name (sysctl(8)) and never forms a <c>..</c>.</summary>
    private static bool IsKey(string key)
    {
        bool start = true;
        foreach (char c in key)
        {
            if (c is '.' or '/')
            {
                if (start)
                {
                    return false;
                }

                start = true;
            }
            else if (char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
            {
                start = false;
            }
            else
            {
                return false;
            }
        }

        return !start;
    }
}
