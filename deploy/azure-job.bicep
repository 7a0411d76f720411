// The job whose executions are workers. The hub starts them with the whole template each time; see docs/deploy.md.
param location string = resourceGroup().location
param environmentName string
param jobName string = 'claude-swarm-worker'
param image string
@description('Seconds after which Azure ends a worker, whatever it does: the longest timeout of a task, and some more.')
param longest int = 86400

resource environment 'Microsoft.App/managedEnvironments@2025-07-01' existing = {
  name: environmentName
}

resource job 'Microsoft.App/jobs@2025-07-01' = {
  name: jobName
  location: location
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    environmentId: environment.id
    configuration: {
      triggerType: 'Manual'
      replicaTimeout: longest
      replicaRetryLimit: 0 // the hub tries again; a container that Azure runs anew would be a second worker
      manualTriggerConfig: {
        parallelism: 1
        replicaCompletionCount: 1
      }
    }
    template: {
      containers: [
        {
          name: 'worker'
          image: image
          resources: {
            cpu: json('2.0')
            memory: '4Gi'
          }
        }
      ]
    }
  }
}

output name string = job.name
