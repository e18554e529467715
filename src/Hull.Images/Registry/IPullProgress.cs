namespace Hull.Images.Registry;

/// <summary>Where a layer is on its way into the store, in the order of a pull.</summary>
public enum PullPhase
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
}

/// <summary>One change of one layer.</summary>
/// <param name="Layer">The first 12 digits of the blob's digest.</param>
/// <param name="Current">Bytes so far; 0 outside Downloading and Extracting.</param>
/// <param name="Total">Bytes in all.</param>
public readonly record struct LayerProgress(string Layer, PullPhase Phase, long Current, long Total)
{
    /// <summary>How long until the next attempt; only in <see cref="PullPhase.Retrying"/>.</summary>
    public TimeSpan Wait { get; init; }

    /// <summary>Docker's words for the phase.</summary>
    public string Text => Phase switch
    {
        PullPhase.PullingLayer => "Pulling fs layer",
        PullPhase.Waiting => "Waiting",
        PullPhase.Downloading => "Downloading",
        PullPhase.Retrying => $"Retrying in {Math.Max(1, Math.Ceiling(Wait.TotalSeconds)):0} second{(Wait.TotalSeconds > 1 ? "s" : "")}",
        PullPhase.Verifying => "Verifying Checksum",
        PullPhase.Downloaded => "Download complete",
        PullPhase.Extracting => "Extracting",
        PullPhase.Complete => "Pull complete",
        PullPhase.AlreadyExists => "Already exists",
        _ => Phase.ToString(),
    };
}

/// <summary>Is told how a pull goes. The calls of one pull come one after another, from several threads; they should not
/// block, for the download waits meanwhile.</summary>
public interface IPullProgress
{
    /// <summary>A line about the pull as a whole: <c>latest: Pulling from library/busybox</c>.</summary>
    void Message(string line);

    /// <summary>A layer changed. Layers appear first in the order of the image, bottom first.</summary>
    void Layer(LayerProgress progress);
}
