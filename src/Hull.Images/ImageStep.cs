using Hull.Oci.ImageSpec;

namespace Hull.Images;

/// <summary>One step of how an image came to be.</summary>
/// <param name="Size">Bytes of the files of the step's layer; 0 where it has none.</param>
public sealed record ImageStep(ImageHistory Step, long Size)
{
    /// <summary>The steps of an image, the latest first.</summary>
    /// <param name="history">As the configuration has it, the earliest first.</param>
    /// <param name="layers">Bottom first. Layers that no step tells of, which tools that write no history leave, get a step without words.</param>
    public static IReadOnlyList<ImageStep> Of(IReadOnlyList<ImageHistory>? history, IReadOnlyList<ImageLayer> layers)
    {
        List<ImageStep> steps = [];
        int layer = 0;
        foreach (ImageHistory step in history ?? [])
        {
            bool filled = step.EmptyLayer != true && layer < layers.Count;
            steps.Add(new ImageStep(step, filled ? layers[layer++].UnpackedSize : 0));
        }

        for (; layer < layers.Count; layer++)
        {
            steps.Add(new ImageStep(new ImageHistory(), layers[layer].UnpackedSize));
        }

        steps.Reverse();
        return steps;
    }
}
