using Hull.Oci;

namespace Hull.Images.Registry;

/// <summary>What a repository has.</summary>
internal sealed partial class RegistryClient
{
    /// <summary>The tags of the repository, in the registry's order.</summary>
    /// <exception cref="RegistryException">Refused, unreachable, or no list of tags.</exception>
    public async Task<IReadOnlyList<string>> ListTagsAsync(CancellationToken cancel)
    {
        List<string> tags = [];
        try
        {
            await foreach (TagListBody page in RegistryPages.ReadAsync(
                session, $"{reference.Path}/tags/list", RegistryJson.Default.TagListBody, cancel).ConfigureAwait(false))
            {
                tags.AddRange((page.Tags ?? []).Select(Check));
            }
        }
        catch (RegistryException e) when (e.Status is not (null or 200))
        {
            throw PullRefusal.ForManifest(e, reference, session.CredentialFile);
        }

        return tags;
    }

    /// <summary>A tag becomes part of names and URLs.</summary>
    private string Check(string? tag) =>
        ImageReference.TryParse($"{reference.Name}:{tag}", out ImageReference? name) && name.Tag == tag
            ? tag!
            : throw new RegistryException(
                RegistryError.Corrupt, $"{reference.FamiliarName}: the registry lists a tag that is none: '{RegistryFailure.Printable(tag ?? "")}'");
}
