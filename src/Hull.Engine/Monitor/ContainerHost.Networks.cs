using System.Globalization;
using System.Net;
using Hull.Engine.Containers;
using Hull.Engine.Networks;
using Hull.Linux;
using Hull.Networking;
using Hull.Networking.Endpoints;
using Hull.Networking.Host;
using Hull.Networking.Ports;

namespace Hull.Engine.Monitor;

/// <summary>The container's networks: its ports are held while the monitor lives, its links while a run lasts.</summary>
internal sealed partial class ContainerHost
{
    private HostNetworks Networks => _networks ??= Engine.NetworksOf(_store.Paths, _warnings.Add);

    /// <summary>Before the first process: a port that is in use ends the start.</summary>
    private void ReservePorts()
    {
        if (_config.Host.Endpoints is not { Count: > 0 } || _ports is not null)
        {
            return;
        }

        try
        {
            _ports = PortReservation.Take(PublishedPorts.Of(_config), DescribeHolder);
        }
        catch (NetworkException e)
        {
            throw NetworkFailure.Wrap(e);
        }
    }

    /// <summary>While the child makes its mounts.</summary>
    private void JoinNetworks(int pid)
    {
        if (_config.Host.Endpoints is null)
        {
            return;
        }

        try
        {
            // Whoever changes its networks or its name does that before, and it counts here, or after, and finds the process to change them of.
            using FileLock changing = _store.LockRecord(_config.Id);
            // Those of the run before, whose namespace has ended.
            LeaveNetworks();
            IReadOnlyList<EndpointSettings> endpoints = _store.ReadConfig(_config.Id).Host.Endpoints ?? [];
            string name = _store.CurrentName(_config.Id);
            ContainerLinks.Check(_store, Networks, name, endpoints);
            _network = Networks.Attach(new ContainerAttachment
            {
                Container = _config.Id.Hex,
                Name = name,
                Pid = pid,
                Endpoints = endpoints,
                Ports = _ports?.Ports ?? [],
            });
            ManagedFiles.WriteHosts(_store.Paths.ContainerDirectory(_config.Id), _config, _network);
            _dns = ContainerDns.Open(pid, _store.Paths.ExecRoot);
        }
        catch (NetworkException e)
        {
            throw NetworkFailure.Wrap(e);
        }
    }

    public void Serve(EventLoop loop)
    {
        if (_dns is null || _network is null)
        {
            return;
        }

        ContainerResolvers resolvers = new(_config.Host, Networks.Store);
        FileMetadata? seen = null;
        // Whoever connects the container to a network, or takes it off one, writes its state anew. Looked at with each question: an
        // inotify(7) instance each would be the 129th container's end (fs.inotify.max_user_instances).
        void Follow()
        {
            FileMetadata? now = Networks.VersionOf(_config.Id.Hex);
            if (now != seen && Networks.StateOf(_config.Id.Hex) is { } state)
            {
                (seen, _network) = (now, state);
                resolvers.Follow(state);
                _dns?.Follow(state);
            }
        }

        _dns.Serve(loop, Follow, resolvers.Current);
        _relay = _ports is null ? null : new PortRelay(loop, _ports, () => Networks.RelayTarget(_config.Id.Hex));
    }

    private void LeaveNetworks()
    {
        _dns?.Dispose();
        _relay?.Dispose();
        (_dns, _relay) = (null, null);
        if (_network is { } state)
        {
            _network = null;
            Networks.Detach(_config.Id.Hex, state);
        }
    }

    /// <summary>Before the record goes: the container may have been connected to others meanwhile.</summary>
    private void RereadNetworks() => _network = _network is null ? null : Networks.StateOf(_config.Id.Hex) ?? _network;

    /// <summary>The container or the process that has a port of the host.</summary>
    private string? DescribeHolder(string protocol, IPEndPoint place)
    {
        if (SocketHolder.Find(protocol, place) is not int pid)
        {
            return null;
        }

        foreach (ContainerStatus other in _store.List(null, out _))
        {
            if (other.MonitorPid == pid)
            {
                return $"container {other.Name}";
            }
        }

        return string.Create(CultureInfo.InvariantCulture, $"process {ProcessStat.TryRead(pid)?.Name ?? "?"} (pid {pid})");
    }
}
