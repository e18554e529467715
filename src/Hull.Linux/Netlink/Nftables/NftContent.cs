namespace Hull.Linux.Netlink.Nftables;

/// <summary>What is in a table: how many rules each chain has, and the elements of each set.</summary>
public sealed class NftContent
{
    private readonly SortedDictionary<string, int?> _chains = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, HashSet<string>> _sets = new(StringComparer.Ordinal);

    /// <summary>How many rules a chain has; null where there is no such chain.</summary>
    public int? Rules(string chain) => _chains.GetValueOrDefault(chain);

    /// <summary>How many elements a set has (the start and the end of a range are one each); null where there is no such set.</summary>
    public int? Elements(string set) => _sets.TryGetValue(set, out HashSet<string>? elements) ? elements.Count : null;

    /// <summary>What of this content another lacks, or has otherwise, in words; null where nothing. Chains and sets that only the other
    /// one has are no difference, nor are the rules of a chain that a transaction only made sure of.</summary>
    public string? WhatLacks(NftContent other)
    {
        foreach ((string chain, int? count) in _chains)
        {
            if (other.Rules(chain) is not int there)
            {
                return $"chain {chain} is gone";
            }

            if (count is not null && there != count)
            {
                return $"chain {chain} has {there} rules, not {count}";
            }
        }

        foreach ((string set, HashSet<string> elements) in _sets)
        {
            if (!other._sets.TryGetValue(set, out HashSet<string>? there))
            {
                return $"set {set} is gone";
            }

            if (!there.SetEquals(elements))
            {
                return $"set {set} has {there.Count} elements, not the {elements.Count} that it had";
            }
        }

        return null;
    }

    internal void AddChain(string chain) => _chains.TryAdd(chain, null);

    internal void FlushChain(string chain) => _chains[chain] = 0;

    internal void RemoveChain(string chain) => _chains.Remove(chain);

    internal void AddRule(string chain) => _chains[chain] = (_chains.GetValueOrDefault(chain) ?? 0) + 1;

    /// <summary>Of a chain whose other rules are unknown nothing is known.</summary>
    internal void RemoveRule(string chain)
    {
        if (_chains.GetValueOrDefault(chain) is int count and > 0)
        {
            _chains[chain] = count - 1;
        }
    }

    internal HashSet<string> AddSet(string set)
    {
        if (!_sets.TryGetValue(set, out HashSet<string>? elements))
        {
            _sets.Add(set, elements = []);
        }

        return elements;
    }

    internal void RemoveSet(string set) => _sets.Remove(set);

    internal void Clear()
    {
        _chains.Clear();
        _sets.Clear();
    }
}
