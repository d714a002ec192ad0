// The interface ids that a host defines once, without the SDK's warnings.
#include <pluginterfaces/base/ibstream.h>
#include <pluginterfaces/vst/ivstaudioprocessor.h>
#include <pluginterfaces/vst/ivstcomponent.h>
#include <pluginterfaces/vst/ivsteditcontroller.h>
#include <pluginterfaces/vst/ivsthostapplication.h>
#include <pluginterfaces/vst/ivstmessage.h>
#include <pluginterfaces/vst/ivstparameterchanges.h>

#include <pluginterfaces/base/coreiids.cpp>
#include <pluginterfaces/base/funknown.cpp>

namespace Steinberg::Vst {

DEF_CLASS_IID(IAudioProcessor)
DEF_CLASS_IID(IComponent)
DEF_CLASS_IID(IComponentHandler)
DEF_CLASS_IID(IConnectionPoint)
DEF_CLASS_IID(IEditController)
DEF_CLASS_IID(IHostApplication)
DEF_CLASS_IID(IParameterChanges)
DEF_CLASS_IID(IParamValueQueue)

}  // namespace Steinberg::Vst
