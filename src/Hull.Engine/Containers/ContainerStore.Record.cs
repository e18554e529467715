using Hull.Linux;

namespace Hull.Engine.Containers;

/// <summary>Changes of a container's record. Whoever makes one reads, decides and writes under the record's lock, so that of two at once
/// neither is lost: the monitor tells how the container fares, <c>rename</c> its name, <c>network connect</c> its networks.</summary>
public sealed partial class ContainerStore
{
    /// <summary>Waits until nobody else changes the record: flock(2) on the container's directory, which goes with the container. The
    /// methods of this class that change a record take it themselves, and within it others' locks may be taken, not the other way round.</summary>
    /// <exception cref="EngineException">NotFound.</exception>
    internal FileLock LockRecord(ContainerId id) =>
        FileLock.AcquireDirectory(_paths.ContainerDirectory(id)) ?? throw EngineException.NotFound($"No such container: {id.Short}");

    /// <summary>Replaces a container's config, of which its networks are the one thing that changes after its making.</summary>
    /// <param name="change">Gets the config as it stands; where it throws, nothing is changed.</param>
    public void ChangeConfig(ContainerId id, Func<ContainerConfig, ContainerConfig> change)
    {
        using FileLock changing = LockRecord(id);
        AtomicFile.Write(_paths.ConfigFile(id), ConfigCodec.Write(change(ReadConfig(id))), durable: true);
    }

    /// <summary>Replaces the status but for the name, which is <see cref="Rename"/>'s to change. The caller holds the monitor lock.</summary>
    /// <param name="durable">Survives a power cut; a --rm container's need not, a reboot removes it.</param>
    /// <returns>What is on record now.</returns>
    public ContainerStatus WriteStatus(ContainerStatus status, bool durable)
    {
        using FileLock changing = LockRecord(status.Id);
        ContainerStatus written = status with { Name = CurrentName(status.Id) };
        Write(written, durable);
        return written;
    }

    /// <summary>Gives the container another name. The caller need not hold the monitor lock.</summary>
    public void Rename(ContainerId id, string newName)
    {
        string name = ContainerName.Check(newName);
        using FileLock renaming = FileLock.Acquire(_lockFile, shared: true);
        using FileLock changing = LockRecord(id);
        ContainerStatus status = ReadStatus(id);
        if (status.Name == name)
        {
            throw EngineException.Invalid("Renaming a container with the same name as its current name");
        }

        if (ClaimName(name, id, out ContainerId owner) != NameClaim.Claimed)
        {
            throw NameInUse(name, owner);
        }

        Write(status with { Name = name }, durable: true);
        ReleaseName(status.Name, id);
    }

    /// <summary>The name by which the container is found now.</summary>
    public string CurrentName(ContainerId id) => ReadStatus(id).Name;

    private void Write(ContainerStatus status, bool durable) => AtomicFile.Write(_paths.StatusFile(status.Id), StatusCodec.Write(status), durable);
}
