using System.Text;

namespace Hull.Oci.ImageSpec;

/// <summary>Names a stack of layers by what is in it (config.md, "Layer ChainID").</summary>
public static class ChainId
{
    /// <summary>The chainID of a layer on top of a stack; of the bottom layer it is the diffID itself.</summary>
    public static Digest Of(Digest? parent, Digest diffId) =>
        parent is null ? diffId : Digest.Of(Encoding.ASCII.GetBytes($"{parent} {diffId}"));

    /// <summary>The chainID of each layer, bottom first.</summary>
    public static IReadOnlyList<Digest> Of(IReadOnlyList<Digest> diffIds)
    {
        Digest[] chain = new Digest[diffIds.Count];
        for (int i = 0; i < chain.Length; i++)
        {
            chain[i] = Of(i == 0 ? null : chain[i - 1], diffIds[i]);
        }

        return chain;
    }
}
