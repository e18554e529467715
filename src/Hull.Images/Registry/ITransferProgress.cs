namespace Hull.Images.Registry;

/// <summary>Where a layer is on its way into the store or to a registry, in the order of a pull, of a push and of a load.</summary>
public enum TransferPhase
{
    /// <summary>Known to be needed.</summary>
    PullingLayer,

    /// <summary>Needed, and behind the layers that are being fetched now.</summary>
    Waiting,

    /// <summary>Bytes are coming; <see cref="LayerProgress.Current"/> of <see cref="LayerProgress.Total"/>.</summary>
    Downloading,

    /// <summary>The connection broke; taken up again after <see cref="LayerProgress.Wait"/>.</summary>
    Retrying,

    /// <summary>All bytes are here; digest and diffID are compared.</summary>
    Verifying,

    /// <summary>The blob is what it should be.</summary>
    Downloaded,

    /// <summary>Being unpacked into the layer store. hull unpacks while it downloads, so this phase is short.</summary>
    Extracting,

    /// <summary>In the store.</summary>
    Complete,

    /// <summary>Was in the store before.</summary>
    AlreadyExists,

    /// <summary>To be pushed.</summary>
    Preparing,

    /// <summary>Bytes are going; <see cref="LayerProgress.Current"/> of <see cref="LayerProgress.Total"/>.</summary>
    Pushing,

    /// <summary>The registry has it now.</summary>
    Pushed,

    /// <summary>The registry had it before, in this repository.</summary>
    LayerAlreadyExists,

    /// <summary>The registry had it in the repository <see cref="LayerProgress.From"/>, and needed no bytes.</summary>
    Mounted,

    /// <summary>Not to be distributed (image-spec, layer.md): the manifest names where else it is.</summary>
    Skipped,

    /// <summary>An archive is read from its beginning to its end, before its layers can be told apart;
    /// <see cref="LayerProgress.Current"/> of <see cref="LayerProgress.Total"/>, as stored.</summary>
    Reading,

    /// <summary>Being read from an archive and unpacked; <see cref="LayerProgress.Current"/> of <see cref="LayerProgress.Total"/>, as stored.</summary>
    Loading,
}

/// <summary>One change of one layer.</summary>
/// <param name="Layer">12 digits: of the blob's digest in a pull, of the diffID in a push and a load, as docker has it.</param>
/// <param name="Current">Bytes so far; 0 where the phase moves no bytes.</param>
/// <param name="Total">Bytes in all; 0 where nobody knows.</param>
public readonly record struct LayerProgress(string Layer, TransferPhase Phase, long Current, long Total)
{
    /// <summary>How long until the next attempt; only in <see cref="TransferPhase.Retrying"/>.</summary>
    public TimeSpan Wait { get; init; }

    /// <summary>The repository that had the layer; only in <see cref="TransferPhase.Mounted"/>.</summary>
    public string? From { get; init; }

    /// <summary>Whether bytes are moving: a bar.</summary>
    public bool IsMoving => Phase is TransferPhase.Downloading or TransferPhase.Extracting or TransferPhase.Pushing or TransferPhase.Reading or TransferPhase.Loading;

    /// <summary>Docker's words for the phase.</summary>
    public string Text => Phase switch
    {
        TransferPhase.PullingLayer => "Pulling fs layer",
        TransferPhase.Waiting => "Waiting",
        TransferPhase.Downloading => "Downloading",
        TransferPhase.Retrying => $"Retrying in {Math.Max(1, Math.Ceiling(Wait.TotalSeconds)):0} second{(Wait.TotalSeconds > 1 ? "s" : "")}",
        TransferPhase.Verifying => "Verifying Checksum",
        TransferPhase.Downloaded => "Download complete",
        TransferPhase.Extracting => "Extracting",
        TransferPhase.Complete => "Pull complete",
        TransferPhase.AlreadyExists => "Already exists",
        TransferPhase.Preparing => "Preparing",
        TransferPhase.Pushing => "Pushing",
        TransferPhase.Pushed => "Pushed",
        TransferPhase.LayerAlreadyExists => "Layer already exists",
        TransferPhase.Mounted => $"Mounted from {From}",
        TransferPhase.Skipped => "Skipped foreign layer",
        TransferPhase.Loading => "Loading layer",
        _ => Phase.ToString(),
    };
}

/// <summary>Is told how a pull, a push or a load goes. The calls of one transfer come one after another, from several threads; they should not
/// block, for the transfer waits meanwhile.</summary>
public interface ITransferProgress
{
    /// <summary>A line about the transfer as a whole: <c>latest: Pulling from library/busybox</c>.</summary>
    void Message(string line);

    /// <summary>A layer changed. Layers appear first in the order of the image, bottom first.</summary>
    void Layer(LayerProgress progress);
}
