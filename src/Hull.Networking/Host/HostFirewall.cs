using System.Globalization;
using System.Text;
using Hull.Linux;
using Hull.Networking.Firewall;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Host;

/// <summary>The firewall of this host's networks, kept whole: who changes it under the lock sees whether others have meanwhile.</summary>
/// <param name="everything">What the firewall is to know, read from disk.</param>
/// <param name="forwarding">On as long as there are tables.</param>
/// <param name="generationFile">The tables' generation after our last change: where it is still the same, nobody has touched any table
/// since, and ours need not be looked at.</param>
internal sealed class HostFirewall(Func<FirewallState> everything, string generationFile, Forwarding forwarding)
{
    /// <summary>Lets more in, and makes the host a router for it. What is on disk has it already.</summary>
    /// <param name="hasNewBridges">A bridge of it was not there before.</param>
    public void Add(FirewallState more, bool ipv6, bool hasNewBridges)
    {
        forwarding.Claim(ipv6);
        using HullFirewall firewall = HullFirewall.Open();
        if (IsUntouched(firewall))
        {
            firewall.Add(more with { Guarded = forwarding.Guarded });
            if (hasNewBridges)
            {
                firewall.PassDocker(() => BridgesOf(everything()));
            }
        }
        else
        {
            Restore(firewall);
        }

        Remember(firewall);
        Forwarding.Enable(ipv6);
    }

    /// <summary>Takes some out again. What is on disk has it no more; where that is nothing at all the tables go.</summary>
    public void Remove(FirewallState less, bool isLast)
    {
        using HullFirewall firewall = HullFirewall.Open();
        if (isLast)
        {
            Clear(firewall);
            return;
        }

        if (!IsUntouched(firewall) || !TryRemove(firewall, less))
        {
            Restore(firewall);
        }
        else if (less.Networks.Count > 0)
        {
            firewall.PassDocker(() => BridgesOf(everything()));
        }

        Remember(firewall);
    }

    private static bool TryRemove(HullFirewall firewall, FirewallState less)
    {
        try
        {
            firewall.Remove(less);
            return true;
        }
        catch (SyscallException e) when (e.Errno == Errno.ENOENT)
        {
            // Of an attachment that failed half way.
            return false;
        }
    }

    /// <summary>Whether hull has made its tables.</summary>
    public bool IsThere => Remembered() is not null;

    /// <summary>Whether nobody has changed any table since our last change.</summary>
    public bool IsUntouched()
    {
        using HullFirewall firewall = HullFirewall.Open();
        return IsUntouched(firewall);
    }

    /// <summary>Makes the tables whole where somebody has flushed or changed them.</summary>
    public void Heal()
    {
        using HullFirewall firewall = HullFirewall.Open();
        if (!IsUntouched(firewall))
        {
            Restore(firewall);
            Remember(firewall);
        }
    }

    /// <summary>Makes the tables anew from what is on disk; where that is nothing at all the tables go.</summary>
    public void Renew(bool isLast)
    {
        using HullFirewall firewall = HullFirewall.Open();
        if (isLast)
        {
            Clear(firewall);
            return;
        }

        FirewallState state = Everything();
        firewall.Apply(state);
        firewall.PassDocker(() => BridgesOf(state));
        Remember(firewall);
    }

    private void Clear(HullFirewall firewall)
    {
        // Before the guard goes.
        forwarding.Release(isOthersToo: firewall.HasNeighbours());
        firewall.Clear();
        firewall.PassDocker(static () => []);
        Files.Unlink(null, generationFile);
    }

    private FirewallState Everything() => everything() with { Guarded = forwarding.Guarded };

    private void Restore(HullFirewall firewall)
    {
        FirewallState state = Everything();
        // Where nothing is remembered nothing is there to compare with: the first network.
        if (Remembered() is null || firewall.WhatIsMissing(state) is not null)
        {
            firewall.Apply(state);
        }

        firewall.PassDocker(() => BridgesOf(state));
    }

    private static IEnumerable<string> BridgesOf(FirewallState state) => state.Networks.Select(static network => network.Bridge);

    private bool IsUntouched(HullFirewall firewall) => Remembered() == Text(firewall);

    private string? Remembered()
    {
        using SafeFileHandle? file = Files.TryOpenAt(null, generationFile, OpenFlags.ReadOnly, 0, out _);
        return file is null ? null : Encoding.ASCII.GetString(Files.ReadAll(file, 32, generationFile));
    }

    private void Remember(HullFirewall firewall) => AtomicFile.Write(generationFile, Encoding.ASCII.GetBytes(Text(firewall)), durable: false);

    private static string Text(HullFirewall firewall) => firewall.Generation().ToString(CultureInfo.InvariantCulture);
}
