using Hull.Oci;

namespace Hull.Images;

/// <summary>All names of a store as they were when read, and what they keep. Not thread-safe.</summary>
/// <param name="all">In the order of the names.</param>
/// <param name="members">The ids of the images that an index leads to; asked once for each index.</param>
internal sealed class StoreNames(IReadOnlyList<NameTarget> all, Func<Digest, IReadOnlySet<Digest>> members)
{
    private readonly ILookup<Digest, ImageReference> _byId = all.ToLookup(name => name.Id, name => name.Reference);
    private readonly Dictionary<Digest, IReadOnlySet<Digest>> _members = [];
    private HashSet<Digest>? _behind;

    public IReadOnlyList<NameTarget> All => all;

    public IReadOnlyList<ImageReference> Of(Digest id) => [.. _byId[id]];

    /// <summary>The names that came with an index.</summary>
    public IReadOnlyList<ImageReference> Through(Digest index) => [.. all.Where(name => name.Index == index).Select(name => name.Reference)];

    /// <summary>Whether an image has no name of its own, but is another platform's of one that has.</summary>
    public bool IsSibling(Digest id) => !_byId.Contains(id) && (_behind ??= [.. IndexesOf(all).SelectMany(MembersOf)]).Contains(id);

    /// <summary>The images that nothing leads to any more when names go: those of their indexes alone.</summary>
    public HashSet<Digest> OrphansWithout(Func<NameTarget, bool> goes)
    {
        ILookup<bool, NameTarget> names = all.ToLookup(goes);
        HashSet<Digest> orphans = [.. IndexesOf(names[true]).SelectMany(MembersOf)];
        orphans.ExceptWith(IndexesOf(names[false]).SelectMany(MembersOf));
        orphans.ExceptWith(names[false].Select(name => name.Id));
        return orphans;
    }

    /// <summary>The ids of the images that an index leads to.</summary>
    public IReadOnlySet<Digest> MembersOf(Digest index) =>
        _members.TryGetValue(index, out IReadOnlySet<Digest>? known) ? known : _members[index] = members(index);

    /// <summary>The indexes that names lead through, each once.</summary>
    public static IEnumerable<Digest> IndexesOf(IEnumerable<NameTarget> names) => names.Select(name => name.Index).OfType<Digest>().Distinct();
}
